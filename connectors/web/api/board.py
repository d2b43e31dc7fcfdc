"""How cameras and alerts are at this moment: ``GET /v1/cameras`` and ``GET /v1/alerts``."""

from itertools import islice
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from connectors.web.api.answers import Alerts, CameraNow, Cameras, HeldCondition
from connectors.web.api.operation import Operation
from connectors.web.api.pictures import JSON
from connectors.web.figures import Figures
from connectors.web.page import Page
from connectors.web.problem import refused
from connectors.web.told import MOST_ALERTS
from stream import codec
from stream.specs import ID_PATTERN
from stream.types import Alert

AGAIN_S = 1
"""After so long it is worth asking again how alerts are."""


class CamerasQuery(Struct, frozen=True):
    """No parameters."""


class AlertsQuery(Struct, frozen=True, kw_only=True):
    """Which alerts are wanted: those that fulfil all that is given."""

    camera: Annotated[str, Meta(pattern=ID_PATTERN, description="only of this camera")] | None = (
        None
    )
    rule: Annotated[str, Meta(pattern=ID_PATTERN, description="only of this rule")] | None = None
    state: (
        Annotated[
            Literal["open", "resolved"], Meta(description="only those that are open, or are over")
        ]
        | None
    ) = None
    limit: Annotated[
        int, Meta(ge=1, le=MOST_ALERTS, description="at most so many, those that changed last")
    ] = 100  # fmt: skip


class Board:
    """Tells what ``page`` knows of cameras and alerts."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def operations(self) -> list[Operation]:
        """What the API knows of it."""
        return [
            Operation(
                "GET",
                "/v1/cameras",
                "cameras",
                "How each camera is: state, figures, and what ails it.",
                CamerasQuery,
                {JSON: Cameras},
                self._answer_cameras,
            ),
            Operation(
                "GET",
                "/v1/alerts",
                "alerts",
                "Alerts that are open, and those that were. Each is the last change that was told "
                "of it, as on the topic `alerts`.",
                AlertsQuery,
                {JSON: Alerts},
                self._answer_alerts,
                refusals={
                    503: "what was told before is still being read; Retry-After says when "
                    f"to come again ({AGAIN_S} s)"
                },
            ),
        ]

    async def _answer_cameras(self, _: web.Request, __: CamerasQuery) -> web.Response:
        return _json(self.cameras())

    async def _answer_alerts(self, _: web.Request, query: AlertsQuery) -> web.Response:
        if (recalled := self._page.recalled) is not None:
            text = f"{recalled.read} of {recalled.of} records of before are read; ask again"
            raise refused(503, text, {"Retry-After": str(AGAIN_S)})
        return _json(self.alerts(query))

    def cameras(self) -> Cameras:
        """How all are now."""
        figures = self._page.figures()
        return Cameras([_now(name, figures[name]) for name in sorted(figures)])

    def alerts(self, query: AlertsQuery) -> Alerts:
        """Those that are wanted."""
        latest = (told.alert for told in self._page.told.latest())
        wanted = (each for each in latest if _is_wanted(each, query))
        return Alerts(list(islice(wanted, query.limit)))


def _now(camera: str, figures: Figures) -> CameraNow:
    is_told = figures.since_us is not None
    return CameraNow(
        camera=camera,
        state=figures.state,
        since_us=figures.since_us,
        reason=figures.reason if is_told else "no ingest has told of it",
        epoch=figures.epoch,
        rate=figures.rate,
        age_p50_ms=figures.age_p50_ms,
        age_p99_ms=figures.age_p99_ms,
        skipped=figures.skipped,
        conditions=[
            HeldCondition(condition, each.since_us, each.detail)
            for condition, each in figures.conditions.items()
        ],
    )


def _is_wanted(alert: Alert, query: AlertsQuery) -> bool:
    state = "resolved" if alert.state == "resolved" else "open"
    return (
        query.camera in {None, alert.camera}
        and query.rule in {None, alert.rule}
        and query.state in {None, state}
    )


def _json(told: Struct) -> web.Response:
    body = msgspec.json.encode(told, enc_hook=codec.mask_to_wire)
    return web.Response(body=body, content_type=JSON)
