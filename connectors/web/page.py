"""What the page shows at this moment. It knows nothing of HTTP and waits for nobody.

Whoever looks reads the newest and skips the rest, so that no browser holds anything up.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from connectors.web.bulletin import Bulletin, Bulletins
from connectors.web.exhibits import Exhibits
from connectors.web.figures import Figures, Gauge
from connectors.web.memory import Memory
from connectors.web.past import SAME_SCENE, Past
from connectors.web.places import Line
from connectors.web.shown import Shown
from connectors.web.thumbnail import thumbnail
from connectors.web.told import Told, ToldAlerts
from stream.codec import to_json
from stream.specs import ZoneSpec
from stream.types import (
    Alert,
    CameraHealth,
    CameraStatus,
    EpochClosed,
    EpochOpened,
    Gap,
    Joined,
    Result,
)

RESULTLESS_AFTER_US = 1_000_000
"""Pictures without a result are shown only when none with one came for so long: where an overload
turns every other frame into a gap, the masks would flicker."""
OVER_SENT = 100
"""Alerts that are over which a browser gets when it connects, those that ended last; it gets all
that are open."""

_encoder = msgspec.json.Encoder()


class Recalled(Struct, frozen=True):
    """How many records of what was told before are read, of how many."""

    read: int
    of: int


class Page:
    """The state behind the page: per camera the newest picture, those before it and figures, and
    what was told last of each alert.

    All methods belong to one event loop; all but `alert` and `remember` return at once. Cameras
    that were not named join in as they come; those that `keep` finds gone are forgotten. ``rules``
    tells the ids of all rules, which no new one may have; ``exhibits`` has the stored pictures of
    alerts, where some are.
    """

    def __init__(
        self,
        *,
        cameras: Sequence[str],
        zones: Callable[[], Sequence[ZoneSpec]],
        now_us: Callable[[], int],
        lines: Callable[[], Sequence[Line]] = tuple,
        rules: Callable[[], Sequence[str]] = tuple,
        exhibits: Exhibits | None = None,
    ) -> None:
        self._now_us = now_us
        self._zones = zones
        self._lines = lines
        self._rules = rules
        self.exhibits = exhibits
        self._gauges = {camera: Gauge() for camera in cameras}
        self._there = frozenset(cameras)
        self._gone: dict[str, Gauge] = {}
        self._number = 0
        """Rises over all cameras, so that one that was gone repeats none."""
        self._shown: dict[str, Shown] = {}
        self._result_us: dict[str, int] = {}
        self._memory = Memory()
        self.told = ToldAlerts()
        self._recalled: Recalled | None = None
        self._lookers: set[asyncio.Event] = set()
        self._bulletins = Bulletins(self._bulletin)

    def keep(self, cameras: Collection[str]) -> None:
        """These are the cameras by now. One that is gone is shown no more until it is there again,
        whatever is still told of it.
        """
        there = frozenset(cameras)
        if there == self._there:
            return
        for camera in self._there - there:
            self._forget(camera)
        self._there = there
        for camera in cameras:
            self._gauges.setdefault(camera, self._gone.pop(camera, Gauge()))
        self._wake()

    def is_gone(self, camera: str) -> bool:
        """Whether a camera was there and is not any more."""
        return camera in self._gone

    def offer(self, joined: Joined) -> None:
        """Show a picture in place of its camera's last; see `RESULTLESS_AFTER_US`."""
        camera = joined.frame.id.camera
        if self.is_gone(camera):
            return
        gauge, now_us = self._gauge(camera), self._now_us()
        if joined.result is not None:
            self._result_us[camera] = now_us
        elif now_us - self._result_us.get(camera, 0) < RESULTLESS_AFTER_US:
            return
        self._number += 1
        shown = Shown(self._number, now_us, joined)
        self._shown[camera] = shown
        gauge.show(joined, now_us)
        self._memory.offer(camera, shown)
        self._wake()

    async def remember(self) -> None:
        """Make of pixels what the past keeps, until this is cancelled."""
        await self._memory.develop()

    def count(self, terminal: Result | Gap) -> None:
        """Take a terminal into the figures."""
        self._gauge(terminal.camera).count(terminal, self._now_us())

    def epoch(self, told: EpochOpened | EpochClosed) -> None:
        """Say which epoch a camera has come to."""
        self._gauge(told.camera).reach(told.epoch)

    def status(self, status: CameraStatus) -> None:
        """Say how a camera is."""
        self._gauge(status.camera).status(status)

    def health(self, health: CameraHealth) -> None:
        """Say what ails a camera, or does no more."""
        self._gauge(health.camera).health(health, self._now_us())

    @property
    def recalled(self) -> Recalled | None:
        """How far what was told before is read; None where nothing is left to read."""
        return self._recalled

    def recall(self, recalled: Recalled | None) -> None:
        """Say how far what was told before is read."""
        self._recalled = recalled
        self._wake()

    async def alert(self, alert: Alert, told_us: int | None = None) -> None:
        """Tell a change of an alert; an opening comes with a cut of the picture it is about.
        ``told_us``: when that was told, where it was not just now.

        Returns when it is told: whoever awaits that before the next keeps them in order, and has
        no more than one picture decoded at a time.
        """
        now_us = self._now_us() if told_us is None else told_us
        if self.told.hear(alert, now_us, await self._thumbnail(alert)):
            self._wake()

    @contextmanager
    def looking(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever there may be something new; clear it before looking."""
        event = asyncio.Event()
        event.set()
        self._lookers.add(event)
        try:
            yield event
        finally:
            self._lookers.discard(event)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras known so far, by name, as the API has them."""
        return tuple(sorted(self._gauges))

    def shown(self, camera: str | None, after: int) -> Shown | None:
        """The newest picture of ``camera``, if its number is above ``after``."""
        shown = self._shown.get(camera) if camera is not None else None
        return shown if shown and shown.number != after else None

    def alerts(self, after: int) -> list[Told]:
        """The alerts that changed after a number, the last one last: all that are open, and
        `OVER_SENT` of the others. None until all is recalled: what was open then may be over.
        """
        if self._recalled is not None:
            return []
        latest = list(self.told.latest(after))
        over = islice((each for each in latest if each.is_over), OVER_SENT)
        sent = {each.number for each in over}
        return [each for each in reversed(latest) if not each.is_over or each.number in sent]

    def alert_text(self, told: Told) -> str:
        """The message that tells how an alert is."""
        return _text(
            "alert",
            heard_us=told.heard_us,
            changed_us=told.changed_us,
            alert=msgspec.Raw(to_json(told.alert)),
            picture=told.picture,
            exhibits=self.exhibits.of(told.alert) if self.exhibits else None,
        )

    def hello(self, *, has_session: bool) -> str:
        """The first message to a browser."""
        return _text("hello", now_us=self._now_us(), has_session=has_session)

    @property
    def past(self) -> Past:
        """What was shown before."""
        return self._memory.past

    def bulletin(self, now_s: float) -> Bulletin:
        """What all browsers are told at ``now_s``, the event loop's time; see `Bulletins`."""
        return self._bulletins.at(now_s)

    def figures(self) -> dict[str, Figures]:
        """Every camera in figures."""
        now_us = self._now_us()
        return {camera: gauge.figures(now_us) for camera, gauge in self._gauges.items()}

    def span(self, camera: str) -> str:
        """The message that says how far back a camera's past goes."""
        span = self.past.span(camera)
        return _text("span", camera=camera, span_us=span, now_us=self._now_us())

    def _bulletin(self) -> Bulletin:
        zones = [zone.model_dump(mode="json") for zone in self._zones()]
        return Bulletin(
            stats=_text("stats", cameras=self.figures()),
            places=_text(
                "zones", zones=zones, lines=list(self._lines()), rules=list(self._rules())
            ),
        )

    def _gauge(self, camera: str) -> Gauge:
        gauges = self._gone if self.is_gone(camera) else self._gauges
        return gauges.setdefault(camera, Gauge())

    def _forget(self, camera: str) -> None:
        del self._gauges[camera]
        self._gone[camera] = Gauge()
        self._shown.pop(camera, None)
        self._result_us.pop(camera, None)
        self._memory.forget(camera)

    async def _thumbnail(self, alert: Alert) -> str | None:
        shown, evidence = self._shown.get(alert.camera), alert.evidence
        if shown is None or evidence is None or evidence.box is None or alert.state != "opened":
            return None
        frame = shown.joined.frame
        fresh = frame.id.epoch == evidence.epoch and abs(frame.id.seq - evidence.seq) <= SAME_SCENE
        if not fresh:
            return None
        return await asyncio.to_thread(thumbnail, frame.picture, evidence.box)

    def _wake(self) -> None:
        for event in self._lookers:
            event.set()


def recalled_text(recalled: Recalled | None) -> str:
    """The message that says how far what was told before is read; None: all is, and was sent."""
    return _text("recalled", recalled=recalled)


def cameras_text(cameras: Sequence[str]) -> str:
    """The message that names the cameras."""
    return _text("cameras", cameras=cameras)


def _text(kind: str, **fields: Any) -> str:
    return _encoder.encode({"type": kind, **fields}).decode()
