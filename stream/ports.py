"""The seam: what maskstream asks of the outside, as Protocols.

Nothing here names a topic's partition, an offset or a broker. A `Delivery`'s ``position`` belongs
to its transport; code above the seam only hands it back.
"""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from stream.sampling import Sampler
from stream.specs import CameraSpec
from stream.stages import Spent, untold
from stream.types import Alert, EpochClosed, FrameId, Instance, Joined, ModelRef, Pixels, Size


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What travels: a key (the camera), bytes, and headers (CloudEvents in binary mode)."""

    key: str
    value: bytes | memoryview
    headers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """A record as it came in. ``ref`` finds the record again; it is opaque, as ``position`` is.

    ``follows_loss``: records of its key before it were deleted before anybody read them.
    """

    topic: str
    record: Record
    position: Any
    ref: str
    follows_loss: bool = False


class Inbox(Protocol):
    """One member's view of a topic."""

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        """Up to ``limit`` records, in order; empty after ``timeout_s`` without one.

        Where the transport keeps cameras apart, those that have the fewest ``under_way`` (received
        and not yet answered) come first.

        Raises `EndOfStream` when no writer is left and everything was read (``memory://`` alone
        can know), and once the transport was ended.
        """

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        """Say that these, and what was received before them of the same keys, need not come again.

        What another member of the group has by now is left to that member.
        """


class Member(Inbox, Protocol):
    """An inbox that says whose a key is, for work that goes on after its record was committed."""

    @property
    def is_assigned(self) -> bool:
        """Whether it is settled which keys are this member's."""

    def owns(self, key: str) -> bool:
        """Whether records of ``key`` come to this member now, and so to no other."""

    def before_handover(self, let_go: Callable[[], Awaitable[None]]) -> None:
        """Await ``let_go`` whenever keys may go to another member, before they do.

        It is cancelled where it takes too long. What is owned is told anew afterwards.
        """


class Outbox(Protocol):
    """A writer of the topics that it was opened for."""

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        """Hand over a record; wait while the transport is full.

        ``acknowledged`` is called once the transport has it for good.
        """

    async def flush(self) -> None:
        """Return when everything sent so far is acknowledged."""


class TimeOfDay(Protocol):
    """What others take for the time now."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch; it steps where the host's clock is set."""


class Clock(Protocol):
    """Time that never steps."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch: anchored once, then carried by a monotonic clock."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A decoded picture that was not yet paid for: ``pixels()`` converts it (not on the loop).

    ``time_s`` is its presentation time in seconds since the source began, ``arrived_us`` when it
    came, on our clock, ``camera_us`` when the camera says that it took it, where it does,
    ``decoding_us`` how long the decoder has worked for it by now, with the pictures before it that
    nobody wanted, and ``decoded_us`` when it was done, on our clock, where it came before that.
    """

    time_s: float
    arrived_us: int
    size: Size
    pixels: Callable[[], Pixels]
    camera_us: int | None = None
    decoding_us: int = 0
    decoded_us: int | None = None


class Feed(Protocol):
    """One connection to one picture source."""

    size: Size
    fps: float | None
    started_us: int | None
    """The source's own idea of when it began, where it has one (files)."""
    frames: int | None
    """How many shots will come, where it is known."""

    def shots(self, sampler: Sampler) -> AsyncIterator[Shot]:
        """What ``sampler`` keeps, in order, until the source ends. Asked for once.

        Raises `CameraError` when the source breaks.
        """


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a frame that a view looks at, in whole pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One look of the model at (a part of) a frame.

    ``labels`` None keeps all; ``confidence`` None takes the model's own threshold. Instances come
    back in frame coordinates.
    """

    pixels: Pixels
    window: Window
    labels: frozenset[str] | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """The epoch in which a camera begins, or goes on with frame ``first``.

    ``is_new``: the epoch is still to be opened. ``goes_on``: when this process stops, a later one
    goes on in the same epoch, so a file that is stopped is not closed. ``due``: what is still to be
    written of the epoch before, which nobody goes on with.
    """

    epoch: int
    first: int = 0
    is_new: bool = True
    goes_on: bool = False
    due: EpochClosed | None = None


class Registry(Protocol):
    """Which cameras there are, and which of them this process runs."""

    @property
    def cameras(self) -> Mapping[str, CameraSpec]:
        """All cameras by id, whoever runs them. It follows what changes."""

    def share(self) -> AbstractAsyncContextManager[AsyncIterator[Mapping[str, CameraSpec]]]:
        """Take part in running them: those that are this process's, now and whenever that changes.

        What is missing from one mapping may be another process's once the next is asked for, so it
        has to be at rest by then. Where nothing will change any more, no other comes.
        """


class Epochs(Protocol):
    """Who says which epoch a camera is in."""

    async def begin(self, camera: CameraSpec) -> Begin | None:
        """The epoch that the camera begins or goes on in; None for a file that is done.

        A live camera always begins a new one, higher than any before, whatever clocks say. Where
        the camera may be another process's by now, this waits until it is this one's again.
        """

    async def due(self, camera: CameraSpec) -> EpochClosed | None:
        """The close of a file's epoch that was left for a later process, where none will come."""


class Model(Protocol):
    """A network that turns views into instances. Several ``segment`` calls may be in flight."""

    ref: ModelRef
    labels: tuple[str, ...]
    batch_size: int
    """The most views that one call takes."""
    in_flight: int
    """How many calls keep the device busy."""

    def shape(self, window: Window) -> Size:
        """The network's input size for a window: only views of one shape share a batch."""

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        """The instances of each view, best score first. All views have one network shape.

        ``spent`` is told what the batch took in each of the model's stages: who only tries the
        model passes none.

        Raises `OutOfMemoryError` when the device has no room for so many views at once, having let
        go of them there, and `DeviceError` when it will do no work in this process any more.
        """


class Sink(Protocol):
    """An endpoint that takes alerts."""

    async def deliver(self, alert: Alert) -> str:
        """One try. Returns what the endpoint answered.

        Raises `DeliveryError` when a later try may succeed, `DeliveryRefusedError` when none will,
        and `EndpointGoneError` when no alert will be taken any more.
        """


RESULT_LATE_S = 1.0
"""How long the result of a retained frame is waited for."""


class Retained(Protocol):
    """Frames that are still kept, with what was seen in them. Any of them may be gone by now."""

    async def frame(self, at: FrameId, ref: str | None) -> Joined | None:
        """The frame ``at`` and its result; None where it is not kept any more.

        ``ref`` is what its result carries as ``frame_ref``: a short cut where it still leads there.
        The result of a frame may be a moment late: it is waited for, `RESULT_LATE_S` at most.
        """

    def around(
        self, at: FrameId, ref: str | None, before_us: int, after_us: int
    ) -> AsyncGenerator[Joined, None]:
        """The frames of the camera's epoch from ``before_us`` before the frame ``at`` to
        ``after_us`` after it, in event time, in order, as far as they are kept and there by now.

        None where the frame ``at`` itself is gone. Whoever stops before the end closes it.
        """


class State(NamedTuple):
    """What is kept under a key. Versions of one key are compared as tuples are; those of one writer
    never fall.
    """

    value: bytes
    version: tuple[int, ...] = ()


class Store(Protocol):
    """State kept by key, read back after a restart."""

    async def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """The value of the highest version under each of ``keys`` that has one; the last of those,
        by whomever it was put.
        """

    async def put(self, states: Mapping[str, State]) -> None:
        """Replace the value under each key, unless one of a higher version is there.

        A process that was thought dead may still write what it knew: that changes nothing. On
        return they are kept.
        """


@dataclass(frozen=True, slots=True)
class Share:
    """What this process has of a topic: the records that are not yet committed (``lag``), and how
    far it is ``committed``, which only ever has to be compared with itself.

    ``lags`` tells the lag of each of its parts, where a transport has such, for people to read.
    """

    committed: int
    lag: int
    lags: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the inboxes of this process are.

    ``shares`` are by topic, so that one that goes on hides none that stands still. It is empty
    while the transport cannot be asked or takes nothing: nobody could go on then.
    """

    is_assigned: bool
    shares: Mapping[str, Share]


AskProgress = Callable[[], Awaitable[Progress]]


class Transport(Protocol):
    """Where records live. Open every outbox before a reader starts, else readers see the end."""

    def inbox(
        self, topic: str, group: str, *, from_now: bool = False
    ) -> AbstractAsyncContextManager[Member]:
        """Join ``group`` on ``topic``.

        A group that has committed nothing begins with what is there, or, ``from_now``, with what
        comes from now on.
        """

    def outbox(self, *topics: str) -> AbstractAsyncContextManager[Outbox]:
        """Become a writer of ``topics``."""

    async def end(self) -> None:
        """Every inbox opened here is at its end from now on: who reads can finish and leave."""

    def epochs(self, clock: Clock) -> AbstractAsyncContextManager[Epochs]:
        """Who says which epoch a camera is in."""

    def store(self) -> AbstractAsyncContextManager[Store]:
        """The state of ``watch``."""

    def retained(self) -> AbstractAsyncContextManager[Retained]:
        """The frames that are still kept: at least those that come from now on, for a while."""

    def whole(self, topic: str) -> AsyncIterator[Record]:
        """All that ``topic`` holds now; records of one key are in order."""

    async def last(self, topic: str, key: str) -> Record | None:
        """The last record of a key that ``topic`` holds now."""

    def progress(self) -> AbstractAsyncContextManager[AskProgress]:
        """A way to ask how far the inboxes that are open here are, as often as one likes."""
