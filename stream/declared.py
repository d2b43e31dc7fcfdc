"""What is said of every metric: names, labels and their values, buckets, how figures add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from stream.errors import RecordError
from stream.pairing import SIDES
from stream.stages import Stage
from stream.types import AlertState, CameraState, Condition, GapReason

PREFIX = "maskstream_"
SHADOW = "maskstream_shadow_"
"""Stands before what processes of a shadow tell: no sum over a site takes it for the pipeline's."""
AGE_BUCKETS_S = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
SERVICE_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5)
DELIVERY_BUCKETS_S = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)
INSTANCE_BUCKETS = (0, 1, 2, 5, 10, 20, 50, 100, 300)
IOU_BUCKETS = (0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 0.999, 1.0)

Arrival = Literal["published", "received", "segmented", "watched", "alerted"]
"""Where a frame's age is taken: acknowledged by the transport from ingest; read by segment;
its result acknowledged; read by watch; an alert about it acknowledged."""

FINITE: Mapping[str, tuple[str, ...]] = {
    "stage": get_args(Stage),
    "at": get_args(Arrival),
    "state": get_args(CameraState),
    "condition": get_args(Condition),
    "level": ("warning", "error"),
    "frames_dropped.reason": ("overflow",),  # ingest has no other, and segment all but that
    "gaps.reason": tuple(each for each in get_args(GapReason) if each != "overflow"),
    "alerts.state": get_args(AlertState),
    "dead_letters.reason": tuple(sorted(each.reason for each in RecordError.__subclasses__())),
    "deliveries.outcome": ("delivered", "failed", "given_up"),
    "reloads.outcome": ("taken", "refused"),
    "side": SIDES,
    "shadow_compared_instances.outcome": ("matched", "new", "lost"),
    "shadow_compared_labels.outcome": ("matched", "new", "lost"),
    "shadow_unpaired_frames.reason": (
        *(each for each in get_args(GapReason) if each != "overflow"),
        "late",
        "missing",
    ),
    "snapshots.outcome": ("stored", "late", "store", "gone", "failed"),
}
"""The values of a label; under ``metric.label`` where they are those of one metric alone."""

TOGETHER: Mapping[str, Literal["max", "min"]] = {
    "maskstream_build_info": "max",
    "maskstream_model_info": "max",
    "maskstream_camera_state": "max",
    "maskstream_camera_condition": "max",
    "maskstream_camera_skew_seconds": "max",
    "maskstream_endpoint_gone": "max",
    "maskstream_gpu_busy_ratio": "max",
    "maskstream_gpu_memory_used_bytes": "max",
    "maskstream_gpu_memory_bytes": "max",
    "process_start_time_seconds": "min",
    "process_max_fds": "max",
}
"""Gauges that processes which look as one (``--workers``) do not add up, as those of one card."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the reference says of a metric; ``role`` is the one that sets it.

    ``buckets`` are the upper bounds of a histogram's, in its unit.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    role: str
    labels: tuple[str, ...]
    text: str
    buckets: tuple[float, ...] = ()

    def values(self, label: str) -> tuple[str, ...]:
        """All values that one of its labels may have; empty where nobody knows them all."""
        name = self.name.removeprefix(PREFIX).removesuffix("_total")
        return FINITE.get(f"{name}.{label}", FINITE.get(label, ()))
