"""Stored pictures of alerts on the page: `notify` puts them into the store, this reads them.

They are known by name alone, as the name follows from the alert; whether one is there yet, the
browser finds out when somebody looks at it.
"""

from collections.abc import Callable

from aiohttp import web
from msgspec import Struct

from connectors.evidence import EvidenceStore
from connectors.web.problem import refused
from connectors.web.streamed import send
from stream.errors import EvidenceError
from stream.evidence import clip_name, snapshot_name
from stream.rule_spec import ClipSpec
from stream.types import Alert

PATH = "/evidence/"
NAME = r"{name:[a-z0-9-]+/\d{4}-\d\d-\d\d/[A-Za-z0-9_-]+/(\d+-\d+\.jpg|clip\.mp4)}"
KINDS = {"jpg": "image/jpeg", "mp4": "video/mp4"}


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

    async def picture(request: web.Request) -> web.StreamResponse:
        return await _answer(store, request)

    app.router.add_get(PATH + NAME, picture)


async def _answer(store: EvidenceStore, request: web.Request) -> web.StreamResponse:
    """404 until it is there, 502 where the store does not say."""
    name = request.match_info["name"]
    try:
        async with store.opened(name) as stored:
            if stored is None:
                raise refused(404, "not stored yet, or deleted")
            return await send(request, stored, KINDS[name.rpartition(".")[2]])
    except EvidenceError as error:
        raise refused(502, str(error)) from error


def _path(name: str | None) -> str | None:
    return None if name is None else PATH + name
