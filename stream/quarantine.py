"""Live cameras whose records mostly cannot be handled are left alone for a while: pure.

Each such record is paid for like a good one until it fails, and is kept in ``dead-letters``; a
camera that sends little else would take the device and the disk from its neighbours.
"""

from collections import deque
from dataclasses import dataclass, field

MOST_PART = 0.05
"""The part of a minute's frames that may fail."""
LEAST_FAILED = 10
"""Fewer are no pattern: at one in a hundred, ten of the first two hundred never come together."""
WINDOW_S = 60
PROBE_EVERY_US = 5_000_000
SOUND_PROBES = 3
"""So many in a row end it: after 15 s at best, and a camera that is half broken stays out."""


@dataclass(slots=True)
class _Camera:
    """``seconds`` holds (second, tried, failed) of the last minute."""

    seconds: deque[tuple[int, int, int]] = field(default_factory=deque)
    probe_at_us: int | None = None
    """When the next frame is tried; None outside quarantine."""
    judged_from_us: int = 0
    sound: int = 0

    def count(self, now_us: int, sound: bool) -> tuple[int, int]:
        """Count one; returns how many were tried and how many failed in the last minute."""
        second = now_us // 1_000_000
        tried, failed = 0, 0
        if self.seconds and self.seconds[-1][0] == second:
            _, tried, failed = self.seconds.pop()
        self.seconds.append((second, tried + 1, failed + (not sound)))
        while self.seconds[0][0] <= second - WINDOW_S:
            self.seconds.popleft()
        return sum(each[1] for each in self.seconds), sum(each[2] for each in self.seconds)


class Quarantine:
    """Who is in it, by camera."""

    def __init__(self) -> None:
        self._cameras: dict[str, _Camera] = {}

    def admits(self, camera: str, now_us: int) -> bool:
        """Whether a frame should be tried: always, or in quarantine as a probe now and then."""
        known = self._cameras.get(camera)
        if known is None or known.probe_at_us is None:
            return True
        if now_us < known.probe_at_us:
            return False
        known.probe_at_us = now_us + PROBE_EVERY_US
        return True

    def tried(self, camera: str, now_us: int, *, sound: bool) -> str | None:
        """Learn how a frame ended that was tried; a sentence when that changes anything."""
        known = self._cameras.setdefault(camera, _Camera())
        if known.probe_at_us is not None:
            return self._probed(camera, known, now_us, sound)
        frames, failed = known.count(now_us, sound)
        if failed < LEAST_FAILED or failed <= MOST_PART * frames:
            return None
        known.probe_at_us = known.judged_from_us = now_us + PROBE_EVERY_US
        known.sound = 0
        return f"{camera}: quarantined, {failed} of {frames} frames in a minute were dead letters"

    def _probed(self, camera: str, known: _Camera, now_us: int, sound: bool) -> str | None:
        if now_us < known.judged_from_us:  # was under way when the quarantine began
            return None
        known.sound = known.sound + 1 if sound else 0
        if known.sound < SOUND_PROBES:
            return None
        del self._cameras[camera]
        return f"{camera}: out of quarantine, {SOUND_PROBES} probes in a row were sound"
