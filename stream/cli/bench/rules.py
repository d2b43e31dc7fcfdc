"""What a result costs ``watch``: tracking and five rules on ten instances at 1080p.

Rates are per second of processor time of one pinned process, so that what else runs on the machine
disturbs them little.
"""

import os
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from stream import codec
from stream.cli.bench import hosted, watched, yard
from stream.cli.bench.contest import Run, interleave
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.masks import Mask, overlaps
from stream.ports import Record
from stream.types import Result
from stream.watching import Plan, Watched, plans, step, zone_mask

CAMERA = "yard"
PURE, CODED = "tracking and 5 rules", "… from JSON, to JSON"
RLE, COCO, BITMAPS = "overlaps alone, ours", "… pycocotools", "… bitmaps of the frame"
FEW = 10
"""Results whose overlaps are found on bitmaps: it takes a hundred times as long."""


def measure(report: Report, scale: Scale) -> None:
    """In turns: the whole of a result, and its overlaps with five zones in three ways."""
    records = [codec.encode(each) for each in yard.results(CAMERA, scale.frames)]
    contestants = {
        name: partial(_start, work, records)
        for name, work in (
            (PURE, _whole), (CODED, _coded), (RLE, _on_runs), (COCO, _on_coco), (BITMAPS, _on_bits),
        )
    }  # fmt: skip
    rates = interleave(contestants, scale.rounds, report.say, unit="results/s")
    report.figure("rules.results_per_s_per_core", float(np.median(rates[PURE])))
    report.rates("results/s of one core", rates, digits=0)
    names = {"vs_pycocotools": COCO, "vs_bitmaps": BITMAPS}
    report.table(
        ["ratio", "median (lowest…highest)"],
        [
            [f"{RLE} / {other}", report.ratio(f"rules.overlaps_{name}", rates[RLE], rates[other])]
            for name, other in names.items()
        ],
    )
    report.bars("rules", "10 instances at 1080p, 5 zones", "results/s of one core", rates)
    if scale.kafka is not None:
        hosted.measure(report, scale, scale.kafka)


Work = Callable[[Plan, Sequence[Record]], tuple[float, int]]
"""Does what is timed; returns the processor time that it took, in seconds, and how many results."""


def _start(work: Work, records: Sequence[Record]) -> Run:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    plan = plans(*watched.specs(CAMERA))[CAMERA]

    def run() -> float:
        seconds, results = work(plan, records)
        return results / seconds

    run()  # zones are drawn once
    return run


def _results(records: Sequence[Record]) -> list[Result]:
    """Fresh ones: a mask keeps what was found out about it."""
    found = (codec.decode(record) for record in records)
    return [each for each in found if isinstance(each, Result)]


def _whole(plan: Plan, records: Sequence[Record]) -> tuple[float, int]:
    results, state = _results(records), Watched()
    began = time.process_time()
    for result in results:
        state, _, _ = step(plan, state, result)
    return time.process_time() - began, len(results)


def _coded(plan: Plan, records: Sequence[Record]) -> tuple[float, int]:
    state, began = Watched(), time.process_time()
    for result in _results(records):
        state, tracks, alerts = step(plan, state, result)
        for message in (tracks, *alerts):
            if message is not None:
                codec.encode(message)
    return time.process_time() - began, len(records)


def _zones(plan: Plan) -> list[Mask]:
    return [zone_mask(polygon, yard.SIZE) for polygon in plan.zones.values()]


def _on_runs(plan: Plan, records: Sequence[Record]) -> tuple[float, int]:
    results, zones = _results(records), _zones(plan)
    began = time.process_time()
    for result in results:
        masks = [instance.mask for instance in result.instances]
        for zone in zones:
            overlaps(masks, zone)
    return time.process_time() - began, len(results)


def _on_coco(plan: Plan, records: Sequence[Record]) -> tuple[float, int]:
    """As COCO's own tools have it: each is a crowd, so that the union is the mask itself."""
    from pycocotools import mask as coco

    zones = [zone.to_coco() for zone in _zones(plan)]
    pictures = [[each.mask.to_coco() for each in one.instances] for one in _results(records)]
    began = time.process_time()
    for masks in pictures:
        coco.iou(masks, zones, [1] * len(zones))
    return time.process_time() - began, len(pictures)


def _on_bits(plan: Plan, records: Sequence[Record]) -> tuple[float, int]:
    """With bitmaps that are there already."""
    zones = [zone.bitmap() for zone in _zones(plan)]
    seconds, results = 0.0, _results(records)[:FEW]
    for result in results:
        bitmaps = [instance.mask.bitmap() for instance in result.instances]
        began = time.process_time()
        for bitmap in bitmaps:
            area = np.count_nonzero(bitmap)
            _ = [np.count_nonzero(bitmap & zone) / area for zone in zones]
        seconds += time.process_time() - began
    return seconds, len(results)
