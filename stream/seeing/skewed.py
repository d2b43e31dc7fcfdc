"""``skewed``: the camera's clock is not ours, or steps."""

from stream.seeing.look import Finding, Look

WINDOW_US = 5_000_000
STEP_US = 1_000_000
UNTOLD_US = 30_000_000
"""Who says nothing of time for so long is not judged by it. The first word takes seconds."""


class Skewed:
    """Compares the camera's clock with ours, window by window.

    A picture may come late and never early. So of each window the picture decides that was the
    least late, as NTP trusts the answer with the shortest way (RFC 5905, clock filter).
    ``ahead_us`` is how far the camera's clock was ahead of ours in the last window.
    """

    def __init__(self, most_us: int) -> None:
        self._most_us = most_us
        self._began_us: int | None = None
        self._furthest_us = 0
        self._since_us: int | None = None
        self._heard_us: int | None = None
        self.ahead_us: int | None = None

    def look(self, look: Look) -> Finding | None:
        """None but at the end of each window; no camera is skewed that does not say its time."""
        if look.camera_us is None:
            return self._untold(look.time_us)
        self._heard_us = look.time_us
        ahead_us = look.camera_us - look.time_us
        if self._began_us is None:
            self._began_us, self._furthest_us = look.time_us, ahead_us
        if look.time_us - self._began_us < WINDOW_US:
            self._furthest_us = max(self._furthest_us, ahead_us)
            return None
        finding = self._judge(look.time_us)
        self._began_us, self._furthest_us = look.time_us, ahead_us
        return finding

    def _untold(self, time_us: int) -> Finding | None:
        if self._heard_us is None:
            self._heard_us = time_us
        if time_us - self._heard_us < UNTOLD_US:
            return None
        self.ahead_us = self._since_us = self._began_us = None
        return Finding(False, time_us)

    def _judge(self, time_us: int) -> Finding:
        ahead_us, before_us = self._furthest_us, self.ahead_us
        self.ahead_us = ahead_us
        step_us = 0 if before_us is None else ahead_us - before_us
        if abs(ahead_us) <= self._most_us and abs(step_us) <= STEP_US:
            self._since_us = None
            return Finding(False, time_us)
        if self._since_us is None:
            self._since_us = self._began_us or time_us
        stepped = f", stepped by {step_us / 1e6:+.1f} s" if abs(step_us) > STEP_US else ""
        detail = f"the camera's clock is {ahead_us / 1e6:+.1f} s from ours{stepped}"
        return Finding(True, self._since_us, detail)
