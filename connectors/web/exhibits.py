"""Stored pictures of alerts on the page: `notify` puts them into the store, this reads them.

They are known by name alone, as the name follows from the alert; whether one is there yet, the
browser finds out when somebody looks at it.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web
from msgspec import Struct

from connectors.evidence import EvidenceStore
from connectors.web.problem import Refused, refused
from stream.errors import EvidenceError
from stream.evidence import clip_name, snapshot_name
from stream.rule_spec import ClipSpec
from stream.types import Alert

PATH = "/evidence/"
NAME = r"{name:[a-z0-9-]+/\d{4}-\d\d-\d\d/[A-Za-z0-9_-]+/(\d+-\d+\.jpg|clip\.mp4)}"
KINDS = {"jpg": "image/jpeg", "mp4": "video/mp4"}
MOST_BYTES = 4 * 1024 * 1024
"""Of a clip that is sent at a time: browsers ask for the rest as they play."""


class Links(Struct, frozen=True):
    """Where the page has the pictures of an alert, if it will have any."""

    snapshot: str | None
    clip: str | None


class Exhibits:
    """The pictures in ``store``; ``asked`` tells the clip that a rule asks for."""

    def __init__(self, store: EvidenceStore, asked: Callable[[str], ClipSpec | None]) -> None:
        self.store = store
        self._asked = asked

    def of(self, alert: Alert) -> Links | None:
        """Where they are. Only alerts that some endpoint is told of have any."""
        if alert.evidence is None or not alert.notify:
            return None
        clip = clip_name(alert) if self._asked(alert.rule) else None
        return Links(_path(snapshot_name(alert)), _path(clip))


def add_exhibits(app: web.Application, exhibits: Exhibits | None) -> None:
    """Answer for the pictures of alerts, where some are stored."""
    if exhibits is None:
        return
    store = exhibits.store

    async def picture(request: web.Request) -> web.Response:
        return await _answer(store, request)

    app.router.add_get(PATH + NAME, picture)


async def _answer(store: EvidenceStore, request: web.Request) -> web.Response:
    """All of it, or the part that was asked for (RFC 9110, 14.2). 404 until it is there."""
    name = request.match_info["name"]
    headers: dict[str, Any] = {
        "Content-Type": KINDS[name.rpartition(".")[2]],
        "Accept-Ranges": "bytes",
    }
    try:
        size = await store.size(name)
        if size is None:
            raise refused(404, "not stored yet, or deleted")
        if "Range" not in request.headers:
            return web.Response(body=await store.get(name, 0, size), headers=headers)
        start, end = _range(request, size)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        return web.Response(status=206, body=await store.get(name, start, end), headers=headers)
    except EvidenceError as error:
        raise refused(502, str(error)) from error


def _range(request: web.Request, size: int) -> tuple[int, int]:
    try:
        start, end, _ = request.http_range.indices(size)
    except ValueError:
        raise _beyond(request, size) from None
    if start >= end:
        raise _beyond(request, size)
    return start, min(end, start + MOST_BYTES)


def _beyond(request: web.Request, size: int) -> Refused:
    text = f"Range: given {request.headers['Range']}; allowed: one range of {size} bytes"
    return refused(416, text, {"Content-Range": f"bytes */{size}"})


def _path(name: str | None) -> str | None:
    return None if name is None else PATH + name
