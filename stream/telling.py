"""How one live camera is, told on ``frames`` in order with its frames, and in metrics.

What holds is told again every few seconds: with the camera's frames, and while it is lost, without.
Then it is told behind the close of its last epoch, by the process that looks for it; one that never
had it claims an epoch for that, which is never opened.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from stream.epoch import EpochWriter
from stream.metrics import Metrics
from stream.ports import Clock
from stream.seeing import Eye, Finding, Look
from stream.specs import CameraHealthSpec
from stream.types import Condition, Size

AGAIN_S = 5.0
"""How often what holds is told."""
PAUSE_S = 1.0
"""How often it is looked whether that is due, while no frame comes."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What was last told of a condition, and when."""

    finding: Finding
    time_us: int


class Teller:
    """Tells of one camera, through all its epochs."""

    def __init__(self, camera: str, spec: CameraHealthSpec, metrics: Metrics) -> None:
        self._camera = camera
        self._eye = Eye(spec)
        self._metrics = metrics
        self._told: dict[Condition, _Told] = {}
        self._writer: EpochWriter | None = None
        self._seen_us: int | None = None
        self._lost: Finding | None = None
        self._is_lost = asyncio.Event()

    @property
    def has_epoch(self) -> bool:
        """Whether there is an epoch to tell in."""
        return self._writer is not None

    def claim(self, writer: EpochWriter) -> None:
        """An epoch to tell in, for a camera that was not there yet."""
        self._writer = writer

    def begin(self, writer: EpochWriter, time_us: int, size: Size, fps: float | None) -> None:
        """An epoch was opened, with frames of ``size``, so many a second where that is known."""
        self._writer = writer
        self._found()
        self._eye.begin(time_us, size, fps)

    async def look(self, look: Look) -> None:
        """Tell what is new with this frame, before it is written."""
        self._seen_us = look.time_us
        found = {"lost": Finding(False, look.time_us), **self._eye.look(look)}
        await self._tell(_still(self._told) | found, look.time_us)
        if self._eye.ahead_us is not None:
            self._metrics.camera_skew.labels(self._camera).set(self._eye.ahead_us / 1e6)

    def _found(self) -> None:
        self._lost = None
        self._is_lost.clear()

    async def lost(self, reason: str, now_us: int) -> None:
        """Tell that the camera is away, since its last frame."""
        since_us = now_us if self._seen_us is None else self._seen_us
        self._lost = Finding(True, since_us if self._lost is None else self._lost.since_us, reason)
        self._is_lost.set()
        await self._tell({"lost": self._lost}, now_us)

    async def repeat(self, clock: Clock) -> None:
        """While the camera is away, tell so again and again; until cancelled."""
        while True:
            await self._is_lost.wait()
            await asyncio.sleep(PAUSE_S)
            if self._lost is not None:
                await self._tell({"lost": self._lost}, clock.now_us())

    async def _tell(self, found: Mapping[Condition, Finding], time_us: int) -> None:
        assert self._writer is not None, "an epoch is begun or claimed first"
        for condition, finding in found.items():
            if _is_news(self._told.get(condition), finding, time_us):
                self._told[condition] = _Told(finding, time_us)
                self._metrics.camera_condition.labels(self._camera, condition).set(finding.is_on)
                await self._writer.tell(time_us, condition, finding)


def _still(told: Mapping[Condition, _Told]) -> dict[Condition, Finding]:
    """What was told to hold and may be told again: what is not known anew goes on."""
    return {name: each.finding for name, each in told.items() if each.finding.is_on}


def _is_news(told: _Told | None, finding: Finding, time_us: int) -> bool:
    if told is None or told.finding.is_on != finding.is_on:
        return True
    return finding.is_on and time_us - told.time_us >= AGAIN_S * 1e6
