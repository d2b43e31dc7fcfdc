"""Our own format: ``type``, ``timestamp``, ``data`` (Standard Webhooks 1.0.0)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from stream import codec
from stream.notify.body.size import checked, fits
from stream.types import Alert

Data = dict[str, Any]


def body_of(alert: Alert) -> bytes:
    """The JSON that an endpoint gets.

    ``data`` is the alert without ``notify``, which is none of a receiver's business. Where the
    body would be too large, it keeps the first of ``tracks`` only and counts the others in
    ``tracks_left_out``; where that does not help, it leaves out the evidence's ``mask`` instead,
    or as well, and says ``mask_left_out``.

    Raises `TooLargeError` when that does not help either.
    """
    data = msgspec.json.decode(codec.to_json(alert))
    del data["type"], data["notify"]
    body = b""
    for smaller in _ever_smaller(data):
        body = msgspec.json.encode(
            {
                "type": f"alert.{alert.state}",
                "timestamp": codec.rfc3339(alert.time_us),
                "data": smaller,
            }
        )
        if fits(body):
            break
    return checked(alert, body)


def _ever_smaller(data: Data) -> Iterator[Data]:
    yield from _with_fewer_tracks(data)
    evidence = data["evidence"]
    if evidence is not None and evidence.pop("mask", None) is not None:
        evidence["mask_left_out"] = True
        yield from _with_fewer_tracks(data)


def _with_fewer_tracks(data: Data) -> Iterator[Data]:
    yield data
    tracks = data["tracks"]
    kept = len(tracks)
    while kept:
        kept //= 2
        yield data | {"tracks": tracks[:kept], "tracks_left_out": len(tracks) - kept}
