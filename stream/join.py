"""Bring together what separate topics say about one frame: its picture, terminal and tracks.

Readers of several topics get them at different times. A `Join` holds what came first until the
rest is there, and lets frames go in order, camera by camera. Whoever shows what is now tells it the
time as well (`Join.lapse`): then a frame does not wait for somebody who is away.
"""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

from stream.types import Encoded, Frame, Gap, Joined, Result, Tracks

LIMIT = 1024
"""Frames held per camera. On Kafka up to 512 of a file lie before segment and a batch is under way;
a topic of ``memory://`` holds fewer."""
FILE_US = 10_000_000
"""How long nothing may be said of a file until its frames wait no longer: files share what live
cameras leave of a device, so that seconds between two of their results are nothing unusual."""

Position = tuple[int, int]
"""(epoch, seq): rises along a camera."""

T = TypeVar("T")


class _Line(Generic[T]):
    """What one topic said about one camera, in order, until its frames ask for it."""

    def __init__(self, limit: int) -> None:
        self._said: deque[tuple[Position, Position, T]] = deque(maxlen=limit)
        self._heard: Position = (-1, -1)
        self._awaited: Position = (-1, -1)
        self.heard_us = 0

    def add(self, first: Position, last: Position, value: T, now_us: int) -> None:
        """Keep ``value`` for the frames ``first``…``last``; a repeat is ignored, the first wins."""
        if last > self._heard:
            self._heard = last
            self._said.append((first, last, value))
            self.heard_us = now_us

    def give_up(self, newest: Position) -> None:
        """Who is behind is waited for again once it has come to what was ``newest`` by now: one
        that catches up is not waited for at each of its steps.
        """
        self._awaited = newest

    def at(self, position: Position) -> tuple[bool, T | None]:
        """Whether it is settled what was said about ``position``, and what.

        A topic is in order per camera, so a frame that a later one has overtaken is settled:
        nothing will come for it. So is one for which nobody waits (`give_up`). Positions must be
        asked for in rising order.
        """
        while self._said and self._said[0][1] < position:
            self._said.popleft()
        if not self._said:
            return self._heard > position or self._heard < self._awaited, None
        first, _, value = self._said[0]
        return True, value if first <= position else None


class _Held(NamedTuple):
    """A frame that waits, and when it came."""

    frame: Frame
    came_us: int

    @property
    def size_bytes(self) -> int:
        picture = self.frame.picture
        return len(picture.jpeg) if isinstance(picture, Encoded) else picture.pixels.nbytes


class _Camera:
    def __init__(self, limit: int, with_tracks: bool) -> None:
        self.terminals: _Line[Result | Gap] = _Line(limit)
        self.tracks: _Line[Tracks] = _Line(limit)
        self.size_bytes = 0
        self._held: deque[_Held] = deque()
        self._newest: Position = (-1, -1)
        self._limit = limit
        self._with_tracks = with_tracks

    @property
    def waiting(self) -> int:
        return len(self._held)

    def add(self, frame: Frame, now_us: int) -> None:
        position = (frame.id.epoch, frame.id.seq)
        if position > self._newest:
            self._newest = position
            held = _Held(frame, now_us)
            self._held.append(held)
            self.size_bytes += held.size_bytes

    def release(self, *, everything: bool = False) -> list[Joined]:
        released = []
        while self._held:
            held = self._held[0]
            waits_for, joined = self._judge(held.frame)
            if waits_for and not everything and len(self._held) <= self._limit:
                break
            self._held.popleft()
            self.size_bytes -= held.size_bytes
            released.append(joined)
        return released

    def lapse(self, now_us: int, live_us: int) -> list[Joined]:
        released = []
        while self._held:
            frame, came_us = self._held[0]
            line, _ = self._judge(frame)
            if line is not None:
                is_live = frame.mode == "live"
                since_us = came_us if is_live else max(came_us, line.heard_us)
                if now_us - since_us < (live_us if is_live else FILE_US):
                    break
                line.give_up(self._newest)
            released += self.release()
        return released

    def thin(self) -> list[Joined]:
        kept = list(self._held)[::-2]
        self._held = deque(reversed(kept))
        self.size_bytes = sum(each.size_bytes for each in kept)
        return self.release()

    def _judge(self, frame: Frame) -> tuple[_Line[Result | Gap] | _Line[Tracks] | None, Joined]:
        """Whom a frame waits for, and what is known of it."""
        position = (frame.id.epoch, frame.id.seq)
        settled, terminal = self.terminals.at(position)
        if not isinstance(terminal, Result):
            return None if settled else self.terminals, Joined(frame, None, None)
        if not self._with_tracks:
            return None, Joined(frame, terminal, None)
        settled, tracks = self.tracks.at(position)
        return None if settled else self.tracks, Joined(frame, terminal, tracks)


class Join:
    """Pairs frames with their terminals, and with their tracks where ``with_tracks`` is set.

    Each method returns the frames that became complete by it, in order per camera. A frame goes
    without a result when its terminal is a gap, when a later terminal has overtaken it, when
    more than ``limit`` frames of its camera wait, or by `lapse`. Repeats and frames that go back
    are ignored. Where pictures that wait take more than ``most_bytes``, every other of the camera
    that has most of it is passed over, so that the rest still meet their results.
    """

    def __init__(
        self,
        *,
        with_tracks: bool,
        limit: int = LIMIT,
        most_bytes: int | None = None,
        now_us: int = 0,
    ) -> None:
        self._with_tracks = with_tracks
        self._limit = limit
        self._most_bytes = most_bytes
        self._now_us = now_us
        self._cameras: dict[str, _Camera] = {}

    def add_frame(self, frame: Frame) -> list[Joined]:
        """A picture came."""
        camera = self._camera(frame.id.camera)
        camera.add(frame, self._now_us)
        return camera.release() + self._make_room()

    def add_terminal(self, terminal: Result | Gap) -> list[Joined]:
        """A frame, or a range of frames, ended."""
        camera = self._camera(terminal.camera)
        first, last = _range(terminal)
        first_at, last_at = (terminal.epoch, first), (terminal.epoch, last)
        camera.terminals.add(first_at, last_at, terminal, self._now_us)
        return camera.release()

    def add_tracks(self, tracks: Tracks) -> list[Joined]:
        """A result's identities came."""
        camera = self._camera(tracks.camera)
        position = (tracks.epoch, tracks.seq)
        camera.tracks.add(position, position, tracks, self._now_us)
        return camera.release()

    def lapse(self, now_us: int, live_us: int) -> list[Joined]:
        """It is ``now_us``; what comes until the next call comes now.

        A live frame that has waited for ``live_us`` goes with what is known of it, and so does a
        file's where nothing was said for `FILE_US`. Those after it wait for nothing of the kind
        until whoever was to say it has come to what is newest now.
        """
        self._now_us = now_us
        return [
            joined for camera in self._cameras.values() for joined in camera.lapse(now_us, live_us)
        ]

    def rest(self) -> list[Joined]:
        """All frames that still wait, with what is known of them: nothing more will come."""
        return [
            joined
            for camera in self._cameras.values()
            for joined in camera.release(everything=True)
        ]

    def forget(self, camera: str) -> None:
        """Drop what is held of a camera."""
        self._cameras.pop(camera, None)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras of which something was told."""
        return tuple(self._cameras)

    @property
    def size_bytes(self) -> int:
        """What the pictures that wait take."""
        return sum(camera.size_bytes for camera in self._cameras.values())

    def _make_room(self) -> list[Joined]:
        released: list[Joined] = []
        while self._most_bytes is not None and self.size_bytes > self._most_bytes:
            several = [camera for camera in self._cameras.values() if camera.waiting > 1]
            if not several:
                break
            released += max(several, key=lambda each: each.size_bytes).thin()
        return released

    def _camera(self, name: str) -> _Camera:
        if name not in self._cameras:
            self._cameras[name] = _Camera(self._limit, self._with_tracks)
        return self._cameras[name]


def _range(terminal: Result | Gap) -> tuple[int, int]:
    if isinstance(terminal, Gap):
        return terminal.first, terminal.last
    return terminal.seq, terminal.seq
