"""What an endpoint is told: pure."""

import msgspec

from stream.codec import rfc3339
from stream.errors import TooLargeError
from stream.types import Alert

BODY_BYTES = 20_000
"""Most that a body takes, as Standard Webhooks 1.0.0 recommends ("Payload size")."""


def body_of(alert: Alert) -> bytes:
    """The JSON that an endpoint gets: ``type``, ``timestamp``, ``data`` (Standard Webhooks 1.0.0).

    ``data`` is the alert without ``notify``, which is none of a receiver's business. Equal alerts
    give equal bytes. Where the body would pass `BODY_BYTES`, it keeps the first of ``tracks`` only
    and counts the others in ``tracks_left_out``.

    Raises `TooLargeError` when that does not help.
    """
    data = msgspec.to_builtins(alert)
    del data["type"], data["notify"]
    event = {
        "type": f"alert.{alert.state}",
        "timestamp": rfc3339(alert.time_us),
        "data": data,
    }
    while len(body := msgspec.json.encode(event)) > BODY_BYTES:
        if not data["tracks"]:
            raise TooLargeError(f"alert {alert.id[:80]}: {len(body)} bytes > {BODY_BYTES}")
        data["tracks"] = data["tracks"][: len(data["tracks"]) // 2]
        data["tracks_left_out"] = len(alert.tracks) - len(data["tracks"])
    return body
