"""Frames that a test keeps."""

from collections.abc import AsyncGenerator, Iterable

from stream.ports import Window
from stream.types import FrameId, Joined, Size


def whole(_: str, size: Size) -> list[Window]:
    """Where a camera that asks for nothing is looked at: everywhere."""
    return [Window(0, 0, size[1], size[0])]


class KeptFrames:
    """A `stream.ports.Retained` of what it is given, in order; ``coming`` is what each further
    look at a span finds besides.
    """

    def __init__(
        self, frames: Iterable[Joined] = (), coming: Iterable[Iterable[Joined]] = ()
    ) -> None:
        self.frames = list(frames)
        self._coming = iter(coming)

    async def frame(self, at: FrameId, ref: str | None) -> Joined | None:
        return next((each for each in self.frames if each.frame.id == at), None)

    async def around(
        self, at: FrameId, ref: str | None, before_us: int, after_us: int
    ) -> AsyncGenerator[Joined, None]:
        middle = await self.frame(at, ref)
        if middle is None:
            return
        first_us = middle.frame.time_us - before_us
        last_us = middle.frame.time_us + after_us
        for each in list(self.frames):
            if each.frame.id[:2] == at[:2] and first_us <= each.frame.time_us <= last_us:
                yield each
        self.frames += next(self._coming, ())
