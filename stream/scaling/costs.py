"""What a frame costs, as it was measured: the one table from which docs/capacity.md is computed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A figure, its unit, and where it was measured: a page under docs/, as a link."""

    what: str
    value: float
    unit: str
    source: str


_HERE = "capacity.md#measured-for-this-page"

INGEST = Measured(
    "`ingest`, a frame of 768×432",
    3.0,
    "ms of a core",
    "decisions/0013-what-a-camera-costs-ingest.md",
)
SEGMENT_F32 = Measured(
    "`segment`, YOLOv8n-seg at 640×384, f32", 84.0, "ms of a core",
    "decisions/0008-what-a-frame-costs-on-kafka.md",
)  # fmt: skip
SEGMENT_BF16 = Measured(
    "the same in bf16, with decoding and `watch`, no Kafka (2 cores / 53.9 frames/s)", 37.1,
    "ms of a core", "benchmarks.md#speed",
)  # fmt: skip
WATCH = Measured(
    "`watch`, ten instances, five rules (1 / 451 results/s)", 2.2, "ms of a core",
    "benchmarks.md#rules",
)  # fmt: skip
WEB = Measured(
    "`web`, a picture of 1080p that nobody looks at (0.248 / 80)", 3.1, "ms of a core",
    "benchmarks.md#the-live-page",
)  # fmt: skip
BROKER = Measured(
    "a broker, a record of 20 to 60 kB, written, and read once (0.5 to 0.8)", 0.8, "ms of a core",
    _HERE,
)  # fmt: skip
BROKER_SMALL = Measured(
    "a broker, a record of 1 kB, the same (0.15 to 0.23)", 0.2, "ms of a core", _HERE
)
PICTURE = Measured("a picture of 768×432 (people clip), JPEG 80", 30_459, "bytes", _HERE)
LARGE_PICTURE = Measured(
    "a picture of 1920×1080 (drawn), JPEG 80", 183_000, "bytes", "benchmarks.md#the-live-page"
)
RESULT = Measured("a result (bottle clip)", 2_168, "bytes", _HERE)
TRACKS = Measured("tracks of a result (bottle clip)", 756, "bytes", _HERE)
HEADERS = Measured("headers of a frame", 228, "bytes", _HERE)
RESULT_HEADERS = Measured("headers of a result, or of tracks", 151, "bytes", _HERE)
INGEST_MEMORY = Measured(
    "memory of `ingest`, 4 cameras", 250, "MB", "benchmarks.md#an-hour-of-lost-cameras"
)
SEGMENT_MEMORY = Measured("memory of `segment`, YOLOv8n-seg f32", 357, "MB", _HERE)
WATCH_MEMORY = Measured("memory of `watch`, 2 cameras", 157, "MB", _HERE)
NOTIFY_MEMORY = Measured("memory of `notify`", 156, "MB", _HERE)
READY = Measured("`segment` from its start to ready, on a busy machine", 13, "s at most", _HERE)
PAUSE = Measured(
    "silence of a camera when a segmenter comes or goes", 3.5, "s at most",
    "benchmarks.md#more-segmenters",
)  # fmt: skip

ALL = (
    INGEST, SEGMENT_F32, SEGMENT_BF16, WATCH, WEB, BROKER, BROKER_SMALL, PICTURE, LARGE_PICTURE,
    RESULT, TRACKS,
    HEADERS, RESULT_HEADERS, INGEST_MEMORY, SEGMENT_MEMORY, WATCH_MEMORY, NOTIFY_MEMORY, READY,
    PAUSE,
)  # fmt: skip
