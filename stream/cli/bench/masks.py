"""Mask algebra: what a crowded frame costs to put on the wire."""

import time

import numpy as np

from stream import codec
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.masks import Mask
from stream.types import Instance, ModelRef, Result

SIZE = (1080, 1920)
INSTANCES = 50
REPEATS = 200


def measure(report: Report, scale: Scale) -> None:
    """Time a 1080p result with 50 instances, from run boundaries to JSON."""
    shapes = _blobs(np.random.default_rng(0))
    times_ms = [_encode_ms(shapes) for _ in range(REPEATS)]
    median, worst = float(np.median(times_ms)), float(np.quantile(times_ms, 0.99))
    report.figure("masks.encode_50_1080p_ms", median)
    report.table(
        ["", "median ms", "p99 ms"],
        [[f"encode {INSTANCES} instances at 1080p", f"{median:.2f}", f"{worst:.2f}"]],
    )


def _encode_ms(shapes: list[Mask]) -> float:
    """Fresh masks each time: a mask keeps what it has encoded."""
    instances = tuple(
        Instance("person", 0.9, (0.0, 0.0, 1.0, 1.0), Mask.from_edges(SIZE, shape.edges))
        for shape in shapes
    )
    model = ModelRef("bench", "0" * 64, "f32")
    result = Result("bench", 1, 0, 0, 0, SIZE, model, instances)
    began = time.perf_counter()
    codec.encode(result)
    return (time.perf_counter() - began) * 1e3


def _blobs(random: np.random.Generator) -> list[Mask]:
    """Standing ellipses with a wavy outline and a hole, 60…300 px high, like people in a hall."""
    masks = []
    for _ in range(INSTANCES):
        height = int(random.integers(60, 300))
        width = height * 2 // 5
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        radius = np.hypot(x, y)
        edge = 0.9 + 0.08 * np.sin(7 * np.arctan2(y, x) + random.uniform(0, 6))
        bitmap = (radius < edge) & (np.hypot(x - 0.2, y - 0.2) > 0.15)
        left = int(random.integers(0, SIZE[1] - width))
        top = int(random.integers(0, SIZE[0] - height))
        masks.append(Mask.from_bitmap(SIZE, bitmap, left, top))
    return masks
