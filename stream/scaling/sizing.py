"""From cameras to cores, cards, brokers, network and disk: formulas on `stream.scaling.costs`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from stream.declared import SHADOW
from stream.metrics import Metrics
from stream.scaling import costs
from stream.scaling.policy import DEFAULT

FPS = 10.0
"""Of a camera in the table."""
COPIES = 3
POD_CORES = 2
"""Of a segmenter in the table: what was measured on."""
BROKER_CORES, BROKER_BYTES_PER_S = 8, 0.6e9
"""What a broker of the table is given, assumed: cores, and half of a network of 10 Gbit/s."""
SPREAD = 4
"""Partitions for each member, so that one with a partition more has a quarter more at most."""


@dataclass(frozen=True)
class Needs:
    """What so many ``cameras`` need. Cores are at the load that the chart aims at; ``cards`` are
    for a card that does ``card_per_s`` frames/s, None where nobody says what one does.

    Rates are bytes/s of the whole cluster: ``written`` by roles and ``moved`` in all, with copies
    and one reader; ``kept`` is on disks with copies. A copy is taken to cost a broker as much as a
    write. ``series`` is of Prometheus.
    """

    cameras: int
    frames_per_s: float
    ingest_cores: float
    f32_cores: float
    bf16_cores: float
    cards: int | None
    watch_cores: float
    web_cores: float
    written: float
    moved: float
    kept: float
    mirrored: float
    broker_cores: float
    brokers: int
    pods: int
    partitions: int
    series: int


def needs(cameras: int, retention_s: Mapping[str, float], card_per_s: float | None) -> Needs:
    """Compute all of it. ``retention_s`` by topic, as `frames`."""
    rate = cameras * FPS
    aimed = rate / DEFAULT.load / 1e3
    written = rate_of(rate)
    total = sum(written.values())
    moved = total * (COPIES + 1)
    records_ms = costs.BROKER.value + 2 * costs.BROKER_SMALL.value  # a frame, its result, tracks
    broker_cores = rate * records_ms / 1e3 * COPIES
    pods = math.ceil(aimed * costs.SEGMENT_BF16.value / POD_CORES)
    return Needs(
        cameras,
        rate,
        rate * costs.INGEST.value / 1e3,
        aimed * costs.SEGMENT_F32.value,
        aimed * costs.SEGMENT_BF16.value,
        None if card_per_s is None else math.ceil(rate / (DEFAULT.load * card_per_s)),
        aimed * costs.WATCH.value,
        rate * costs.WEB.value / 1e3,
        total,
        moved,
        sum(each * retention_s[topic] for topic, each in written.items()) * COPIES,
        written["masks"],
        broker_cores,
        max(COPIES, math.ceil(broker_cores / BROKER_CORES), math.ceil(moved / BROKER_BYTES_PER_S)),
        pods,
        max(48, SPREAD * pods),
        cameras * sum(series_of_a_camera().values()),
    )


def rate_of(frames_per_s: float) -> Mapping[str, float]:
    """Bytes a second that are written to each topic that grows with frames."""
    return {
        "frames": frames_per_s * (costs.PICTURE.value + costs.HEADERS.value),
        "masks": frames_per_s * (costs.RESULT.value + costs.RESULT_HEADERS.value),
        "tracks": frames_per_s * (costs.TRACKS.value + costs.RESULT_HEADERS.value),
    }


def series_of_a_camera() -> Mapping[str, int]:
    """Series that one live camera adds to Prometheus, by role, as metrics are declared; what a
    shadow would add is left out.
    """
    counts: dict[str, int] = {}
    for each in Metrics().declared:
        if "camera" in each.labels and not each.name.startswith(SHADOW):
            others = (len(each.values(label)) for label in each.labels if label != "camera")
            buckets = len(each.buckets) + 3 if each.kind == "histogram" else 1  # +Inf, sum, count
            counts[each.role] = counts.get(each.role, 0) + math.prod(others) * buckets
    return counts
