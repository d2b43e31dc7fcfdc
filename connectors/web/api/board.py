"""How cameras and alerts are at this moment: ``GET /v1/cameras`` and ``GET /v1/alerts``."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from connectors.web.api.answers import Alerts, CameraNow, Cameras, HeldCondition
from connectors.web.api.operation import Operation
from connectors.web.api.pictures import JSON
from connectors.web.figures import Gauge
from stream import codec
from stream.codec import Message
from stream.errors import RecordError
from stream.follow import follow
from stream.ports import Delivery, Inbox
from stream.rules.trouble import FRESH_US, Troubles, heard
from stream.specs import ID_PATTERN
from stream.types import (
    Alert,
    CameraHealth,
    CameraStatus,
    EpochClosed,
    EpochOpened,
    Gap,
    Result,
    Tracks,
)

TOPICS = ("masks", "alerts", "camera-status")
"""What it is made of."""
MOST_ALERTS = 2_000
"""Alerts that are remembered; of more, those that ended longest ago are forgotten first."""
MOST_TOLD = 1_000


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
        int, Meta(ge=1, le=MOST_TOLD, description="at most so many, those that changed last")
    ] = 100  # fmt: skip


class _Camera:
    """What was told of one camera."""

    def __init__(self) -> None:
        self.gauge = Gauge()
        self.status: CameraStatus | None = None
        self.troubles: Troubles = {}
        self.epoch: int | None = None

    def reach(self, epoch: int) -> None:
        self.epoch = max(self.epoch or 0, epoch)

    def now(self, name: str, now_us: int) -> CameraNow:
        figures = self.gauge.figures(now_us)
        conditions = [
            HeldCondition(condition, each.since_us, each.detail)
            for condition, each in self.troubles.items()
            if abs(now_us - each.told_us) < FRESH_US
        ]
        return CameraNow(
            camera=name,
            state=figures.state,
            since_us=self.status.time_us if self.status else None,
            reason=self.status.reason if self.status else "no ingest has told of it",
            epoch=self.epoch,
            rate=figures.rate,
            age_p50_ms=figures.age_p50_ms,
            age_p99_ms=figures.age_p99_ms,
            conditions=conditions,
        )


class Board:
    """Remembers what was told last. ``cameras`` says which there are; time is ``now_us()``."""

    def __init__(self, cameras: Callable[[], Collection[str]], now_us: Callable[[], int]) -> None:
        self._names = cameras
        self._now_us = now_us
        self._cameras: dict[str, _Camera] = {}
        self._alerts: OrderedDict[str, Alert] = OrderedDict()

    async def follow(self, inboxes: Mapping[str, Inbox]) -> None:
        """Hear what comes in on ``inboxes`` (by topic, those in `TOPICS`) until all end."""

        async def use(delivery: Delivery) -> None:
            read = codec.peek if delivery.topic == "masks" else codec.decode
            try:
                self.hear(read(delivery.record))
            except RecordError:
                return  # dead letters are the business of whoever works on the record

        await follow(inboxes, use)

    def hear(self, message: Message) -> None:
        """Take over what was told. What comes again changes nothing."""
        match message:
            case Alert():
                self._hear_alert(message)
            case CameraStatus():
                camera = self._camera(message.camera)
                camera.status = message  # the last that was written counts, whatever clocks say
                camera.gauge.status(message)
            case CameraHealth():
                camera = self._camera(message.camera)
                told = msgspec.structs.replace(message, time_us=self._now_us())
                camera.troubles = heard(camera.troubles, told)
                camera.reach(message.epoch)
            case Result() | Gap():
                camera = self._camera(message.camera)
                camera.gauge.count(message, self._now_us())
                camera.reach(message.epoch)
            case EpochOpened() | EpochClosed():
                self._camera(message.camera).reach(message.epoch)
            case Tracks() | _:
                pass

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
            ),
        ]

    async def _answer_cameras(self, _: web.Request, __: CamerasQuery) -> web.Response:
        return _json(self.cameras())

    async def _answer_alerts(self, _: web.Request, query: AlertsQuery) -> web.Response:
        return _json(self.alerts(query))

    def cameras(self) -> Cameras:
        """How all are now."""
        now_us = self._now_us()
        known = {name: self._cameras.get(name) or _Camera() for name in sorted(self._names())}
        return Cameras([camera.now(name, now_us) for name, camera in known.items()])

    def alerts(self, query: AlertsQuery) -> Alerts:
        """Those that are wanted."""
        wanted = [each for each in reversed(self._alerts.values()) if _is_wanted(each, query)]
        return Alerts(wanted[: query.limit])

    def _hear_alert(self, alert: Alert) -> None:
        known = self._alerts.get(alert.id)
        if known is not None and (known.state == "resolved" or known.time_us > alert.time_us):
            return
        self._alerts[alert.id] = alert
        self._alerts.move_to_end(alert.id)
        if len(self._alerts) > MOST_ALERTS:
            ended = (name for name, each in self._alerts.items() if each.state == "resolved")
            del self._alerts[next(ended, next(iter(self._alerts)))]

    def _camera(self, name: str) -> _Camera:
        return self._cameras.setdefault(name, _Camera())


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
