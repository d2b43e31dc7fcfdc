"""Which frames of a camera are offered: pure."""

from math import floor


class Sampler:
    """Keeps ``fps`` frames a second by presentation time; ``None`` keeps every frame.

    Time is cut into slots of 1/fps and the first frame of each slot is kept, so the choice
    depends on the frames' own times alone and a file read again gives the same frames. A source
    at exactly ``fps`` keeps all of its frames although its times are rounded.
    """

    ROUNDING_S = 1e-3
    """Containers round presentation times to their time base, up to a millisecond."""

    def __init__(self, fps: float | None) -> None:
        self._fps = fps
        self._slot: int | None = None

    def keeps(self, time_s: float) -> bool:
        """Whether the frame at ``time_s`` is offered. Times that go back begin a new slot."""
        if self._fps is None:
            return True
        slot = floor((time_s + self.ROUNDING_S) * self._fps)
        if slot == self._slot:
            return False
        self._slot = slot
        return True
