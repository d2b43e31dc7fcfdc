"""Bring together what separate topics say about one frame: its picture, terminal and tracks.

Readers of several topics get them at different times. A `Join` holds what came first until the
rest is there, and lets frames go in order, camera by camera.
"""

from collections import deque
from typing import Generic, TypeVar

from stream.types import Frame, Gap, Joined, Result, Tracks

LIMIT = 512
"""Frames held per camera: many times what a topic of ``memory://`` holds, so that a segmenter with
a full inbox and full batches is waited for."""

Position = tuple[int, int]
"""(epoch, seq): rises along a camera."""

T = TypeVar("T")


class _Line(Generic[T]):
    """What one topic said about one camera, in order, until its frames ask for it."""

    def __init__(self, limit: int) -> None:
        self._said: deque[tuple[Position, Position, T]] = deque(maxlen=limit)
        self._heard: Position = (-1, -1)

    def add(self, first: Position, last: Position, value: T) -> None:
        """Keep ``value`` for the frames ``first``…``last``; a repeat is ignored, the first wins."""
        if last > self._heard:
            self._heard = last
            self._said.append((first, last, value))

    def at(self, position: Position) -> tuple[bool, T | None]:
        """Whether it is settled what was said about ``position``, and what.

        A topic is in order per camera, so a frame that a later one has overtaken is settled:
        nothing will come for it. Positions must be asked for in rising order.
        """
        while self._said and self._said[0][1] < position:
            self._said.popleft()
        if not self._said:
            return self._heard > position, None
        first, _, value = self._said[0]
        return True, value if first <= position else None


class _Camera:
    def __init__(self, limit: int, with_tracks: bool) -> None:
        self.terminals: _Line[Result | Gap] = _Line(limit)
        self.tracks: _Line[Tracks] = _Line(limit)
        self._frames: deque[Frame] = deque()
        self._newest: Position = (-1, -1)
        self._limit = limit
        self._with_tracks = with_tracks

    def add(self, frame: Frame) -> None:
        position = (frame.id.epoch, frame.id.seq)
        if position > self._newest:
            self._newest = position
            self._frames.append(frame)

    def release(self, *, everything: bool = False) -> list[Joined]:
        released = []
        while self._frames:
            settled, joined = self._judge(self._frames[0])
            if not (settled or everything or len(self._frames) > self._limit):
                break
            self._frames.popleft()
            released.append(joined)
        return released

    def _judge(self, frame: Frame) -> tuple[bool, Joined]:
        position = (frame.id.epoch, frame.id.seq)
        settled, terminal = self.terminals.at(position)
        if not isinstance(terminal, Result):
            return settled, Joined(frame, None, None)
        if not self._with_tracks:
            return True, Joined(frame, terminal, None)
        settled, tracks = self.tracks.at(position)
        return settled, Joined(frame, terminal, tracks)


class Join:
    """Pairs frames with their terminals, and with their tracks where ``with_tracks`` is set.

    Each method returns the frames that became complete by it, in order per camera. A frame goes
    without a result when its terminal is a gap, when a later terminal has overtaken it, or when
    more than ``limit`` frames of its camera wait. Repeats and frames that go back are ignored.
    """

    def __init__(self, *, with_tracks: bool, limit: int = LIMIT) -> None:
        self._with_tracks = with_tracks
        self._limit = limit
        self._cameras: dict[str, _Camera] = {}

    def add_frame(self, frame: Frame) -> list[Joined]:
        """A picture came."""
        camera = self._camera(frame.id.camera)
        camera.add(frame)
        return camera.release()

    def add_terminal(self, terminal: Result | Gap) -> list[Joined]:
        """A frame, or a range of frames, ended."""
        camera = self._camera(terminal.camera)
        first, last = _range(terminal)
        camera.terminals.add((terminal.epoch, first), (terminal.epoch, last), terminal)
        return camera.release()

    def add_tracks(self, tracks: Tracks) -> list[Joined]:
        """A result's identities came."""
        camera = self._camera(tracks.camera)
        position = (tracks.epoch, tracks.seq)
        camera.tracks.add(position, position, tracks)
        return camera.release()

    def rest(self) -> list[Joined]:
        """All frames that still wait, with what is known of them: nothing more will come."""
        return [
            joined
            for camera in self._cameras.values()
            for joined in camera.release(everything=True)
        ]

    def _camera(self, name: str) -> _Camera:
        if name not in self._cameras:
            self._cameras[name] = _Camera(self._limit, self._with_tracks)
        return self._cameras[name]


def _range(terminal: Result | Gap) -> tuple[int, int]:
    if isinstance(terminal, Gap):
        return terminal.first, terminal.last
    return terminal.seq, terminal.seq
