"""The frames of a clip, also those that are still to come."""

from collections.abc import AsyncGenerator

from stream.errors import EvidenceError
from stream.ports import Clock, Retained
from stream.types import Alert, Evidence, FrameId, Joined

LOOK_S = 0.5
QUIET_US = 3_000_000
"""When no frame came for so long, none will: the camera is lost, or its file has ended."""
TRY_US = 15_000_000
"""Most that a try waits for frames, as a webhook does: cameras move to others only after it."""


class Reel:
    """The frames from ``before_us`` before the opening of ``alert`` to ``after_us`` after it."""

    def __init__(self, alert: Alert, seen: Evidence, before_us: int, after_us: int) -> None:
        self._at = FrameId(alert.camera, seen.epoch, seen.seq)
        self._ref = seen.frame_ref
        self._time_us = alert.opened_us
        self._before_us = before_us
        self._end_us = alert.opened_us + after_us
        self._next_seq = 0
        self._step_us = 0
        self._held: list[Joined] = []

    async def frames(self, retained: Retained, clock: Clock) -> AsyncGenerator[Joined, None]:
        """All of them, in order, as far as they are kept; empty where what opened it is gone.

        Raises `EvidenceError` when they still come after the longest that a try waits.
        """
        began_us = came_us = clock.now_us()
        while True:
            async for joined in self._unseen(retained):
                came_us = clock.now_us()
                yield joined
            now_us = clock.now_us()
            is_gone = not self._next_seq and not self._held
            if is_gone or self._time_us + self._step_us > self._end_us:
                return
            if now_us - came_us >= QUIET_US:
                for joined in self._held:
                    yield joined
                return
            if now_us - began_us >= TRY_US:
                raise EvidenceError("the last frames of the clip are not there yet")
            await clock.sleep(LOOK_S)

    async def _unseen(self, retained: Retained) -> AsyncGenerator[Joined, None]:
        """What came since the last look.

        A frame without a result is a gap where a later one has its own, and else too new.
        """
        self._held = []
        after_us = self._end_us - self._time_us
        async for joined in retained.around(self._at, self._ref, self._before_us, after_us):
            if joined.frame.id.seq < self._next_seq:
                continue
            self._held.append(joined)
            if joined.result is not None:
                for each in self._held:
                    yield each
                self._held = []
                self._go_on(joined, joined.result.frame_ref)

    def _go_on(self, last: Joined, ref: str | None) -> None:
        if self._next_seq:
            self._step_us = last.frame.time_us - self._time_us
        self._at, self._ref, self._time_us = last.frame.id, ref, last.frame.time_us
        self._next_seq, self._before_us = last.frame.id.seq + 1, 0
