"""Which frames of a camera are offered: pure."""

from math import floor

ROUNDING_S = 1e-3
"""Containers round presentation times to their time base, up to a millisecond."""


class Sampler:
    """Keeps ``fps`` frames a second by presentation time; ``None`` keeps every frame.

    Time is cut into slots of 1/fps and the first frame of each slot is kept, so the choice
    depends on the frames' own times alone and a file read again gives the same frames. A source
    at exactly ``fps`` keeps all of its frames although its times are rounded.
    """

    def __init__(self, fps: float | None) -> None:
        self._fps = fps
        self._slot: int | None = None

    def keeps(self, time_s: float) -> bool:
        """Whether the frame at ``time_s`` is offered. Times that go back begin a new slot."""
        if self._fps is None:
            return True
        if self.is_done(time_s):
            return False
        self._slot = _slot(time_s, self._fps)
        return True

    def is_done(self, time_s: float) -> bool:
        """Whether a frame of the slot of ``time_s`` was kept, so that no other of it will be."""
        return self._fps is not None and _slot(time_s, self._fps) == self._slot


def frames_kept(frames: int, source_fps: float, fps: float) -> int:
    """How many frames of a source with ``frames`` at a steady ``source_fps`` are offered."""
    if fps >= source_fps:
        return frames
    return _slot((frames - 1) / source_fps, fps) + 1


def _slot(time_s: float, fps: float) -> int:
    return floor((time_s + ROUNDING_S) * fps)
