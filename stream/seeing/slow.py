"""``slow``: fewer frames come than were asked for."""

from stream.seeing.look import Finding, Look

WINDOW_US = 10_000_000
LEAST_FRAMES = 10
"""Frames that are waited for at least: of fewer, one that is late would decide."""


class Slow:
    """Counts the frames that are offered, window by window, dropped ones too."""

    def __init__(self, asked_fps: float, part: float) -> None:
        self._asked_fps = asked_fps
        self._least_fps = asked_fps * part
        self._window_us = max(WINDOW_US, round(LEAST_FRAMES / asked_fps * 1e6))
        self._first: Look | None = None
        self._since_us: int | None = None

    def look(self, look: Look) -> Finding | None:
        """None but at the end of each window."""
        first = self._first = self._first or look
        passed_us = look.time_us - first.time_us
        if passed_us < self._window_us:
            return None
        self._first = look
        fps = (look.seq - first.seq) / passed_us * 1e6
        if fps >= self._least_fps:
            self._since_us = None
            return Finding(False, look.time_us)
        if self._since_us is None:
            self._since_us = first.time_us
        return Finding(True, self._since_us, f"{fps:.1f} of {self._asked_fps:g} frames a second")
