"""``frozen``: the same picture again and again."""

import cv2

from stream.seeing.look import Finding, Look, Thumbnail

NOISE = 2
"""Levels by which a cell differs where one and the same picture is encoded again and again.

A picture repeated for 20 s through x264 (crf 23, 300 kb/s), x265 and MPEG-4 stays within it, after
the first key frames. The longest that a corridor where nobody walks does is 2.0 s, also at 15 kb/s:
a sensor's noise, light and codecs change more, and so does the clock that a camera writes over it.
"""


class Frozen:
    """Looks for a picture that stays the same for ``after_us``."""

    def __init__(self, after_us: int) -> None:
        self._after_us = after_us
        self._picture: Thumbnail | None = None
        self._since_us = 0

    def look(self, look: Look) -> Finding | None:
        """None while it may be either."""
        if self._picture is not None and _differ(self._picture, look.thumbnail) <= NOISE:
            still_us = look.time_us - self._since_us
            if still_us < self._after_us:
                return None
            return Finding(True, self._since_us, f"the same picture for {still_us / 1e6:.0f} s")
        is_first = self._picture is None
        self._picture, self._since_us = look.thumbnail, look.time_us
        return None if is_first else Finding(False, look.time_us)


def _differ(one: Thumbnail, other: Thumbnail) -> float:
    return cv2.norm(one, other, cv2.NORM_INF)
