"""Which frames of a camera are offered: pure."""

from math import floor

EARLY = 0.23
"""How much before its time a frame may come, as a part of the time between two: cameras' times
waver, and a camera that gives just what is asked for must not lose a frame to that. With a quarter,
rounding decided which frame of each 20 a second comes first by then, where 5 are asked for: the
times of no camera below 100 a second fall on this one."""


class Sampler:
    """Keeps ``fps`` frames a second by presentation time; ``None`` keeps every frame.

    A frame is due every 1/fps from the first on, and the first that comes by then, or at most
    `EARLY` before, is kept. The choice depends on the frames' own times alone, so a file read again
    gives the same frames.
    """

    def __init__(self, fps: float | None) -> None:
        self._period_s = None if fps is None else 1 / fps
        self._kept_s = 0.0
        self._due_s: float | None = None

    def keeps(self, time_s: float) -> bool:
        """Whether the frame at ``time_s`` is offered. Times that go back begin anew."""
        if self._period_s is None:
            return True
        if self.is_done(time_s):
            return False
        due_s = self._due_s
        if due_s is None or not self._kept_s <= time_s <= due_s + self._period_s:
            due_s = time_s  # the first, or the first after a hole or a step
        self._kept_s, self._due_s = time_s, due_s + self._period_s
        return True

    def is_done(self, time_s: float) -> bool:
        """Whether no frame is due yet at ``time_s``, so that one of then will not be kept."""
        if self._period_s is None or self._due_s is None:
            return False
        return self._kept_s <= time_s < self._due_s - EARLY * self._period_s


def frames_kept(frames: int, source_fps: float, fps: float) -> int:
    """How many frames of a source with ``frames`` at a steady ``source_fps`` are offered."""
    if fps >= source_fps or not frames:
        return frames
    return floor((frames - 1) / source_fps * fps + EARLY) + 1
