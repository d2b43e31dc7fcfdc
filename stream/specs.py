"""What a user writes down: the sections of the settings tree, one frozen model for each.

A component is given its own section only. `stream.config` puts the sections together, reads them
from YAML and words the errors. Points and rectangles are fractions of the frame's width and
height, so that a camera may change its resolution without a change here.

A path is taken as it stands, or, where the validation context is a folder (a `pathlib.Path`),
relative to that folder: `stream.config` gives the folder of the configuration file.
"""

import re
from collections.abc import Collection
from os.path import abspath
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from stream.types import Mode

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(ms|s|m|h|d)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def seconds(value: object) -> object:
    """A duration in seconds: 0.5 for ``500ms``, 5.0 for ``5s`` or 5. Other values unchanged."""
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value)
    if match is None:
        raise PydanticCustomError("allowed", "500ms, 5s, 2m, 1h, 30d, or a number of seconds")
    return float(match[1]) * SECONDS[match[2]]


def duration(value_s: float) -> str:
    """The text that `seconds` reads back as ``value_s``: in the longest unit that keeps it whole.

    Shorter than a microsecond is 0, as event time is counted in microseconds.
    """
    value_us = round(value_s * 1e6)
    for unit in ("d", "h", "m", "s", "ms"):
        whole, rest = divmod(value_us, round(SECONDS[unit] * 1e6))
        if whole and not rest:
            return f"{whole}{unit}"
    return f"{value_us / 1e6:.6f}".rstrip("0").rstrip(".") + "s"


def file_path(url: str) -> Path | None:
    """The file that a camera's URL means: a plain path or ``file:``. None for other schemes."""
    if not _SCHEME.match(url):
        return Path(url)
    scheme, _, rest = url.partition(":")
    if scheme.lower() != "file":
        return None
    return Path(unquote(re.sub(r"^//(localhost)?(?=/)", "", rest)))


def video_path(video: Path, camera: str, cameras: Collection[str]) -> Path:
    """The annotated video of one of ``cameras``: ``video`` itself for a camera that is alone."""
    return video if len(cameras) == 1 else video.with_name(f"{video.stem}-{camera}{video.suffix}")


def anchored(path: Path, info: ValidationInfo) -> Path:
    """``path``, below the folder of the validation context where there is one."""
    return Path(abspath(info.context / path)) if isinstance(info.context, Path) else path


def is_point(value: object) -> bool:
    """Whether it is two numbers, right or wrong ones."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return False
    return all(map(_is_number, value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


Number = Annotated[float, Strict()]
Count = Annotated[int, Strict()]
Switch = Annotated[bool, Strict()]
Duration = Annotated[
    float,
    Strict(),
    BeforeValidator(seconds),
    PlainSerializer(duration, when_used="json"),
    Field(json_schema_extra={"format": "duration"}),
]
Lasting = Annotated[
    float,
    Strict(),
    Field(gt=0),  # as the value of a mapping it has to stand before what reads text
    BeforeValidator(seconds),
    PlainSerializer(duration, when_used="json"),
    Field(json_schema_extra={"format": "duration"}),
]
"""A `Duration` above 0."""
Id = Annotated[
    str, StringConstraints(pattern=ID_PATTERN), Field(json_schema_extra={"format": "id"})
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Labels = Annotated[tuple[Label, ...], Field(min_length=1)]
LocalPath = Annotated[Path, AfterValidator(anchored)]
Fraction = Annotated[
    Number,
    Field(ge=0, le=1, json_schema_extra={"allowed": "0 to 1, a part of width or height"}),
]
FractionPoint = tuple[Fraction, Fraction]


def _corners(polygon: object) -> object:
    """``polygon``, unless it is no list of lists."""
    if not isinstance(polygon, list | tuple) or any(map(_is_number, polygon)):
        text = "corners, as fractions of width and height: [[x, y], [x, y], [x, y]]"
        raise PydanticCustomError("allowed", text)
    return polygon


Polygon = Annotated[
    tuple[FractionPoint, ...], Field(min_length=3, max_length=200), BeforeValidator(_corners)
]
Precision = Literal["f32", "bf16", "fp16", "int8"]
Backend = Literal["auto", "openvino", "torch"]


class Spec(BaseModel):
    """A frozen section that refuses unknown keys, NaN and infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelSpec(Spec):
    """Which network segments, and how."""

    weights: LocalPath = Field(description="a model artefact (folder) or YOLOv8-seg weights (.pt)")
    backend: Backend = Field("auto", description="auto: CUDA where there is one, else OpenVINO")
    precision: Precision = Field("f32", description="what the network computes in; never implied")
    image_size: Count = Field(
        640, ge=32, le=4096, multiple_of=32, description="longer side of the network's input, px"
    )
    confidence: Number = Field(0.25, gt=0, lt=1, description="lowest score that is kept")
    iou: Number = Field(
        0.7, gt=0, le=1, description="overlap of boxes above which NMS drops the lower score"
    )
    labels: Labels | None = Field(None, description="labels that are kept; null: all")
    sha256: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="pin of the weights; null: not pinned",
        json_schema_extra={"allowed": "64 hexadecimal digits in lower case"},
    )


class ShadowSpec(ModelSpec):
    """A second network, tried on what live cameras show; nobody is alerted by it."""

    name: Id = Field(description="what it is called; its masks go on the topic masks.NAME")

    @property
    def masks(self) -> str:
        """The topic of its results and gaps."""
        return f"masks.{self.name}"


class Tiles(Spec):
    """Overlapping windows over a frame, for objects that are small in it."""

    columns: Count = Field(ge=1, le=16, description="windows from left to right")
    rows: Count = Field(ge=1, le=16, description="windows from top to bottom")
    overlap: Number = Field(0.2, ge=0, lt=0.9, description="part that neighbours share")


class CameraSpec(Spec):
    """One camera: where its picture comes from and how it is looked at."""

    id: Id = Field(description="name of the camera; the key of all its records")
    url: str = Field(
        min_length=1, max_length=4096, description="a file, or an rtsp:// or rtsps:// URL"
    )
    mode: Mode = Field(
        "live", description="live: fresh, frames may be skipped; archive: a file, frame by frame"
    )
    credentials: Id | None = Field(
        None, description="name of the file in the folder of credentials that has its password"
    )
    privacy: tuple[Polygon, ...] = Field(
        (), max_length=50, description="blacked out before a frame leaves: polygons of fractions"
    )
    rtsp: Literal["tcp", "udp"] = Field(
        "tcp",
        description="how a camera on the network sends; udp where a late picture is worse "
        "than a lost one",
    )
    fps: Number | None = Field(
        None, gt=0, le=240, description="frames offered per second; null: all"
    )
    loop: Switch = Field(
        False, description="a file begins again when it ends, in a new epoch each time"
    )
    roi: tuple[Fraction, Fraction, Fraction, Fraction] | None = Field(
        None, description="only this rectangle is looked at: x1, y1, x2, y2 as fractions"
    )
    tiles: Tiles | None = Field(None, description="look at overlapping windows, not at the whole")
    labels: Labels | None = Field(None, description="labels kept here; null: the model's")
    confidence: Number | None = Field(
        None, gt=0, lt=1, description="lowest score that is kept here; null: the model's"
    )

    partition: Count | None = Field(
        None, ge=0, le=999, description="kafka: where its records go; null: the emptiest partition"
    )

    @field_validator("url")
    @classmethod
    def _file_url_is_a_path(cls, url: str, info: ValidationInfo) -> str:
        path = file_path(url)
        return url if path is None else str(anchored(path, info))

    @field_validator("privacy", mode="before")
    @classmethod
    def _privacy_is_no_single_polygon(cls, privacy: object) -> object:
        if isinstance(privacy, list | tuple) and any(
            is_point(each) or _is_number(each) for each in privacy
        ):
            raise PydanticCustomError("allowed", "a list of polygons: [[[x, y], [x, y], [x, y]]]")
        return privacy

    @field_validator("roi")
    @classmethod
    def _roi_has_an_area(
        cls, roi: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if roi is not None and not (roi[0] < roi[2] and roi[1] < roi[3]):
            raise PydanticCustomError("allowed", "x1, y1, x2, y2 with x1 < x2 and y1 < y2")
        return roi

    @model_validator(mode="after")
    def _one_way_to_look(self) -> Self:
        if self.roi is not None and self.tiles is not None:
            raise PydanticCustomError("fault", "roi and tiles are both given; allowed: one of them")
        return self


class ZoneSpec(Spec):
    """A part of one camera's picture."""

    id: Id = Field(description="name of the zone")
    camera: Id = Field(description="the camera whose picture it lies in")
    polygon: Polygon = Field(
        description="corners in order, as fractions of width and height; must not cross itself"
    )


class SecretSource(Spec):
    """Where a secret is; exactly one of the two."""

    model_config = ConfigDict(json_schema_extra={"allowed": "{env: NAME} or {file: PATH}"})

    env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,127}$",
        description="name of an environment variable, in capitals",
        json_schema_extra={"allowed": "the name of an environment variable, in capitals"},
    )
    file: LocalPath | None = Field(None, description="a file that holds the secret alone")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise PydanticCustomError("fault", "allowed: one of env and file")
        return self


class EndpointSpec(Spec):
    """A webhook that alerts go to, signed as Standard Webhooks says."""

    id: Id = Field(description="name of the endpoint")
    url: str = Field(
        min_length=1,
        max_length=4096,
        description="https; http and private addresses only with allow_private",
    )
    secret: SecretSource = Field(
        description="where the signing secret is: {env: NAME} or {file: PATH}; "
        "at least 24 bytes in base64, with or without whsec_ before it"
    )
    previous_secret: SecretSource | None = Field(
        None,
        description="the secret before this one, as long as a receiver still checks with it: "
        "both sign",
    )
    body: Literal["json", "alertmanager-v4", "alertmanager"] = Field(
        "json",
        description="json: our own; alertmanager-v4: what Alertmanager sends to webhooks; "
        "alertmanager: what its /api/v2/alerts takes",
    )
    allow_private: Switch = Field(
        False, description="allow http, and loopback, link-local and private addresses"
    )


class OutputsSpec(Spec):
    """Files that `maskstream run` writes beside the topics."""

    results: LocalPath | None = Field(
        None,
        description="a message of masks a line: results, gaps, and what begins and ends epochs",
    )
    video: LocalPath | None = Field(
        None, description="H.264 with masks, zones and alerts drawn (.mp4)"
    )


class FreshnessSpec(Spec):
    """How old the result of a live camera may be. Files are never too old."""

    max_age: Duration = Field(
        1.0, gt=0, le=3600, description="a frame older than this is skipped, and told as a gap"
    )


class HealthSpec(Spec):
    """Where a role of its own answers probes."""

    host: str = Field(
        "127.0.0.1", min_length=1, max_length=253, description="address; 0.0.0.0 in a container"
    )
    port: Count = Field(0, ge=0, le=65535, description="port; 0: any that is free, told at start")


class CameraHealthSpec(Spec):
    """When a live camera is told to be in trouble."""

    frozen_after: Duration = Field(
        10.0, ge=1, le=3600, description="the same picture for so long is frozen"
    )
    most_skew: Duration = Field(
        2.0, gt=0, le=86_400, description="a camera's clock further from ours is skewed"
    )
    slow_below: Number = Field(
        0.8, gt=0, le=1, description="part of the frames asked for; fewer over 10 s is slow"
    )


class PicturesSpec(Spec):
    """How pictures travel to the model, and how large they may be."""

    encoding: Literal["auto", "raw", "jpeg"] = Field(
        "auto", description="auto: raw pixels on memory://, JPEG elsewhere"
    )
    quality: Count = Field(80, ge=1, le=100, description="of JPEG")
    max_bytes: Count = Field(
        8_000_000, ge=1_000, le=64_000_000, description="largest JPEG that is decoded, bytes"
    )
    max_pixels: Count = Field(
        8_300_000,
        ge=1_024,
        le=100_000_000,
        description="largest picture that is decoded, px in all (4K fits)",
    )


class AllowedSpec(Spec):
    """Where pictures may come from."""

    schemes: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9+.-]*$")], ...] = Field(
        ("rtsp", "rtsps", "file"), min_length=1, description="schemes of camera URLs"
    )
    folder: LocalPath | None = Field(
        None,
        description="files of cameras must lie under it; null: this configuration may name any "
        "file, and a camera that is added while everything runs none",
    )
