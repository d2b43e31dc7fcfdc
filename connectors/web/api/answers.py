"""What the API answers, as types: their JSON and the document's schemas are made from them."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from stream.masks import Mask
from stream.skipping import Skipped
from stream.types import (
    Alert,
    Box,
    CameraState,
    Condition,
    Count,
    Instant,
    ModelRef,
    Size,
)

Ring = list[tuple[int, int]]


class FoundInstance(Struct, frozen=True):
    """One object: ``box`` is x1, y1, x2, y2 in pixels, ``mask`` as on the topic ``masks``.

    Instead of it there may be ``polygons``: rings of x, y along pixel borders, outlines and holes;
    filling all by the even-odd rule gives the mask.
    """

    label: str
    score: Annotated[float, Meta(ge=0, le=1)]
    box: Box
    mask: Mask | UnsetType = UNSET
    polygons: list[Ring] | UnsetType = UNSET


class Masks(Struct, frozen=True):
    """What the model saw in a picture of ``size`` (height, width), best score first."""

    model: ModelRef
    size: Size
    instances: list[FoundInstance]


class HeldCondition(Struct, frozen=True):
    """What ails a camera, since when (µs since the Unix epoch), in words."""

    condition: Condition
    since_us: Instant
    detail: str


class CameraNow(Struct, frozen=True):
    """How a camera is: null is what is not known.

    ``since_us`` is when it came into its state, ``rate`` its results a second and ``age_*_ms`` how
    old they were here, over the last ten seconds. ``skipped`` is there while more than 1 % of its
    frames are skipped, and until none was for ten seconds.
    """

    camera: str
    state: CameraState | None
    since_us: Instant | None
    reason: str
    epoch: Count | None
    rate: float | None
    age_p50_ms: float | None
    age_p99_ms: float | None
    skipped: Skipped | None
    conditions: list[HeldCondition]


class Cameras(Struct, frozen=True):
    """All cameras, by name."""

    cameras: list[CameraNow]


class Alerts(Struct, frozen=True):
    """Alerts as they were last told, the one that changed last first."""

    alerts: list[Alert]
