"""All that is looked for in the frames of one camera."""

from stream.seeing.black import Black
from stream.seeing.frozen import Frozen
from stream.seeing.look import Finding, Look
from stream.seeing.moved import Moved
from stream.seeing.skewed import Skewed
from stream.seeing.slow import Slow
from stream.specs import CameraHealthSpec
from stream.types import Condition, Size


class Eye:
    """Looks at one camera through all its epochs. What it first saw, later epochs are held to."""

    def __init__(self, spec: CameraHealthSpec) -> None:
        self._spec = spec
        self._moved = Moved()
        self._first_size: Size | None = None
        self._resized: Finding | None = None

    def begin(self, time_us: int, size: Size, asked_fps: float | None) -> None:
        """An epoch opens, with frames of ``size``, so many a second where that is known."""
        self._black = Black()
        self._frozen = Frozen(round(self._spec.frozen_after * 1e6))
        self._skewed = Skewed(round(self._spec.most_skew * 1e6))
        self._slow = Slow(asked_fps, self._spec.slow_below) if asked_fps else None
        self._judge_size(time_us, size)

    @property
    def ahead_us(self) -> int | None:
        """How far the camera's clock is ahead of ours."""
        return self._skewed.ahead_us

    def look(self, look: Look) -> dict[Condition, Finding]:
        """What this frame of the epoch, or those before it, settle; all else stays as it was.

        Where no rate was asked for, none is too low.
        """
        found: dict[Condition, Finding | None] = {
            "resized": self._resized,
            "black": self._black.look(look),
            "frozen": self._frozen.look(look),
            "moved": self._moved.look(look),
            "slow": self._slow.look(look) if self._slow else Finding(False, look.time_us),
            "skewed": self._skewed.look(look),
        }
        self._resized = None
        return {name: finding for name, finding in found.items() if finding is not None}

    def _judge_size(self, time_us: int, size: Size) -> None:
        first = self._first_size = self._first_size or size
        detail = f"{size[1]}×{size[0]}, was {first[1]}×{first[0]}" if size != first else ""
        self._resized = Finding(size != first, time_us, detail)
