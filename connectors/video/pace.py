"""How often a camera's pictures come, by their own times: pure."""

from collections import deque

WINDOW = 50
"""Pictures: 2 s of most cameras. Fewer would take a burst of lost packets for a change."""
LEAST, MOST = 0.7, 1.4
"""Parts of the rate at the beginning: what lies between is the same rate. Dim light halves it."""


class Pace:
    """Notices when the rate becomes another one."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=WINDOW)
        self._began: float | None = None

    def change(self, time_s: float) -> tuple[float, float] | None:
        """The rates before and after, per second, where the picture of ``time_s`` shows a change.

        Times come in the order of decoding, and repeat where a picture comes in parts.
        """
        if time_s in self._times_s:
            return None
        self._times_s.append(time_s)
        spread_s = max(self._times_s) - min(self._times_s)
        if len(self._times_s) < WINDOW or spread_s <= 0:
            return None
        now = (WINDOW - 1) / spread_s
        if self._began is None:
            self._began = now
        return None if LEAST < now / self._began < MOST else (self._began, now)
