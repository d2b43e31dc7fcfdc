"""What flows through maskstream: values without behaviour towards the world.

Units: pixels for ``box`` and ``size``, microseconds since the Unix epoch (UTC) for ``*_us``.
A ``size`` is always ``(height, width)``; a ``box`` is ``(x1, y1, x2, y2)`` in frame coordinates,
``x2`` and ``y2`` exclusive.

The wire types (`Result`, `Gap`, `EpochOpened`, `EpochClosed`, `Tracks`, `Alert`, …) are what
`stream.codec` writes as JSON, field by field; their JSON Schemas are generated from here.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from stream.masks import Mask

Pixels = NDArray[np.uint8]
"""A picture: uint8, shape (height, width, 3), BGR as OpenCV has it."""

MOST_COUNT = 2**53 - 1
"""The largest number that every reader of JSON keeps whole."""
MOST_PX = 46_340
"""The longest side: its square still counts in 31 bits, as positions in masks do."""
FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999, which is what RFC 3339 can write."""

Count = Annotated[int, Meta(ge=0, le=MOST_COUNT)]
Instant = Annotated[int, Meta(ge=FIRST_US, le=LAST_US)]
Side = Annotated[int, Meta(ge=1, le=MOST_PX)]
Size = tuple[Side, Side]
Box = tuple[float, float, float, float]
Point = tuple[float, float]

Mode = Literal["live", "archive"]
GapReason = Literal["stale", "overflow", "expired", "dead_letter", "quarantined"]
CloseReason = Literal["ended", "stopped", "lost", "changed"]
AlertState = Literal["opened", "updated", "resolved"]
CameraState = Literal["connecting", "live", "lost", "ended", "failed"]
Condition = Literal["lost", "frozen", "black", "moved", "resized", "skewed", "slow"]
Severity = Literal["info", "warning", "critical"]


class FrameId(NamedTuple):
    """The identity of a frame. ``seq`` counts every frame offered in an epoch, from 0."""

    camera: str
    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.camera}/{self.epoch}/{self.seq}"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as JPEG bytes: what travels on every transport."""

    jpeg: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """A picture as pixels: exists on ``memory://`` only, where it saves both JPEG passes."""

    pixels: Pixels


Picture = Encoded | Raw


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera.

    ``time_us`` is event time, which rules use; ``arrived_us`` is when ingest got it, on a clock
    that never steps, which freshness uses. They are equal for a live camera. For a file, event
    time is the file's own time. ``camera_us`` is the camera's own clock, which nothing decides by.
    """

    id: FrameId
    mode: Mode
    size: Size
    time_us: int
    arrived_us: int
    picture: Picture
    camera_us: int | None = None


class ModelRef(Struct, frozen=True):
    """Which network made a result: two results with equal refs came from equal numbers."""

    name: str
    sha256: str
    precision: str


class Instance(Struct, frozen=True):
    """One object in one frame. A label that covers the frame is an instance with a mask as well."""

    label: str
    score: float
    box: Box
    mask: Mask


class Result(Struct, frozen=True, tag="result", tag_field="type"):
    """What the model saw in one frame: one of the two terminals of a frame."""

    camera: str
    epoch: Count
    seq: Count
    time_us: Instant
    arrived_us: Instant
    size: Size
    model: ModelRef
    instances: tuple[Instance, ...]
    frame_ref: str | None = None
    camera_us: Instant | None = None

    @property
    def id(self) -> FrameId:
        """The identity of the frame that was segmented."""
        return FrameId(self.camera, self.epoch, self.seq)


class Gap(Struct, frozen=True, tag="gap", tag_field="type"):
    """Frames ``first``…``last`` (inclusive) that got no result, and why: the other terminal."""

    camera: str
    epoch: Count
    first: Count
    last: Count
    time_us: Instant
    reason: GapReason


class EpochOpened(Struct, frozen=True, tag="epoch-opened", tag_field="type"):
    """A camera begins: its frames from here on have this size and count from 0.

    ``fps`` is how many frames are offered a second and ``expected`` how many in all, where the
    source knows.
    """

    camera: str
    epoch: Count
    time_us: Instant
    mode: Mode
    size: Size
    fps: float | None = None
    expected: Count | None = None


class EpochClosed(Struct, frozen=True, tag="epoch-closed", tag_field="type"):
    """A camera ended after ``frames`` frames offered: 0…frames-1 each have a terminal."""

    camera: str
    epoch: Count
    time_us: Instant
    frames: Count
    reason: CloseReason


class CameraHealth(Struct, frozen=True, tag="camera-health", tag_field="type"):
    """A condition of a live camera holds (``is_on``) since ``since_us``, or holds no more.

    It lies before frame ``seq`` of its epoch. What holds is told again every few seconds, so that
    time goes on where no frame comes. ``time_us`` rises within an epoch, also behind its close,
    where ``lost`` is told until the camera comes back.
    """

    camera: str
    epoch: Count
    seq: Count
    time_us: Instant
    condition: Condition
    is_on: bool
    since_us: Instant
    detail: str = ""


Control = EpochOpened | EpochClosed | Gap | CameraHealth
"""What ingest writes between frames; it goes on to ``masks`` as it came."""
MaskMessage = Result | Control


class Track(Struct, frozen=True):
    """An instance with an identity that lasts from frame to frame.

    ``id`` is camera/epoch/seq/index of its birth, ``contact`` the point where it stands (the
    middle of its mask's lowest row), ``instance`` its index in the result's instances.
    """

    id: str
    label: str
    score: float
    box: Box
    contact: Point
    zones: tuple[str, ...]
    instance: Count


class Tracks(Struct, frozen=True, tag="tracks", tag_field="type"):
    """The identities in one result."""

    camera: str
    epoch: Count
    seq: Count
    time_us: Instant
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """A frame and what was said about it.

    ``result`` is None where the frame ended as a gap; ``tracks`` is None without a result, and
    where none are joined.
    """

    frame: Frame
    result: Result | None
    tracks: Tracks | None


class Evidence(Struct, frozen=True, omit_defaults=True):
    """What a rule saw when it decided: the frame, and the instance that weighed most.

    ``overlap`` is the part of the instance's mask inside the zone. Where no instance speaks for
    the rule, as when nobody is there, ``score``, ``overlap``, ``box`` and ``mask`` are absent.
    ``value`` is what a rule measured that measures: how many, or which part of the zone.
    """

    epoch: Count
    seq: Count
    score: float | None = None
    overlap: float | None = None
    box: Box | None = None
    mask: Mask | None = None
    value: float | None = None
    frame_ref: str | None = None


class Alert(Struct, frozen=True, tag="alert", tag_field="type", omit_defaults=True):
    """A change in the life of an alert. ``id`` names the episode and stays through its life.

    ``labels`` are those that were seen, and conditions where it is about the camera's health;
    ``detail`` then says more, in words. ``snapshot`` and ``clip`` are links to what ``notify``
    stored of the evidence, so they are only in what endpoints are told.
    """

    id: str
    state: AlertState
    rule: str
    kind: str
    camera: str
    zone: str | None
    labels: tuple[str, ...]
    severity: Severity
    tracks: tuple[str, ...]
    opened_us: Instant
    time_us: Instant
    evidence: Evidence | None
    notify: tuple[str, ...]
    detail: str = ""
    snapshot: str | None = None
    clip: str | None = None

    @property
    def summary(self) -> str:
        """Which rule, what it saw, and where, in words."""
        where = f" in zone {self.zone}" if self.zone else ""
        seen = f": {', '.join(self.labels)}" if self.labels else ""
        return f"{self.rule} ({self.kind}{seen}){where} of camera {self.camera}"


class CameraStatus(Struct, frozen=True, tag="camera-status", tag_field="type"):
    """How a camera is, as ingest sees it.

    ``time_us`` is when this was told, ``since_us`` when the state began, where it is told again
    with another reason; 0: it began when this was told.
    """

    camera: str
    state: CameraState
    time_us: Instant
    reason: str = ""
    since_us: Instant = 0

    @property
    def began_us(self) -> int:
        """When the state began."""
        return self.since_us or self.time_us


DeliveryState = Literal["pending", "delivered", "given_up"]


class DeliveryStatus(Struct, frozen=True, tag="delivery", tag_field="type"):
    """How far one change of an alert got with one endpoint; ``answer`` is what the last try met.

    ``snapshot`` is the change itself: it says which one this is, and lets a notify that takes over
    go on with it, no sooner than at ``due_us``, when the next try is due. It waits since
    ``since_us``. ``traceparent`` is where its tries go on from in the trace of its alert, where
    that is traced.
    """

    alert: str
    state_of_alert: AlertState
    endpoint: str
    state: DeliveryState
    attempts: Count
    time_us: Instant
    answer: str = ""
    snapshot: Alert | None = None
    due_us: Instant = 0
    since_us: Instant = 0
    traceparent: str | None = None
