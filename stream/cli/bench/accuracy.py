"""What a precision, or a JPEG in between, does to the masks, against f32 on the pixels."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from connectors.jpeg import JpegCodec
from stream.cli.bench.report import Report
from stream.cli.model import opened
from stream.masks import iou_matrix
from stream.ports import Model, View, Window
from stream.specs import ModelSpec
from stream.tracking.association import assigned
from stream.types import Instance, Pixels

JUDGED_SCORE = 0.35
"""Instances under it sit near the threshold of 0.25 and come and go with any change."""
SAME_IOU = 0.5
JPEG_QUALITY = 80


@dataclass
class Change:
    """How a set of instances differs from the reference, over many frames."""

    judged: int = 0
    lost: int = 0
    new: int = 0
    ious: list[float] = field(default_factory=list)

    @property
    def changed(self) -> float:
        """Lost and new instances, as a part of the judged ones."""
        return (self.lost + self.new) / max(1, self.judged)

    @property
    def mask_iou(self) -> float:
        """Mean IoU of the masks of the instances that both have."""
        return float(np.mean(self.ious)) if self.ious else float("nan")

    def add(self, reference: Sequence[Instance], other: Sequence[Instance]) -> None:
        """Enter one frame. A judged instance may be met by one of any score, either way."""
        pairs = _pairs(reference, other)
        met, meets = {first for first, _ in pairs}, {second for _, second in pairs}
        judged = [i for i, one in enumerate(reference) if one.score >= JUDGED_SCORE]
        self.judged += len(judged)
        self.lost += sum(i not in met for i in judged)
        self.new += sum(one.score >= JUDGED_SCORE and i not in meets for i, one in enumerate(other))
        ious = iou_matrix([one.mask for one in reference], [one.mask for one in other])
        self.ious += [float(ious[i, j]) for i, j in pairs if reference[i].score >= JUDGED_SCORE]


def _pairs(reference: Sequence[Instance], other: Sequence[Instance]) -> list[tuple[int, int]]:
    """The best one-to-one match of equal labels whose masks overlap."""
    if not reference or not other:
        return []
    ious = iou_matrix([one.mask for one in reference], [one.mask for one in other])
    labels = np.array([[a.label == b.label for b in other] for a in reference])
    ious = np.where(labels, ious, 0.0)
    rows, columns = assigned(ious)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if ious[i, j] >= SAME_IOU]


def measure(
    report: Report, clips: Sequence[Path], judged: int, specs: Mapping[str, ModelSpec]
) -> None:
    """Judge every model in ``specs`` against the one named ``f32``, and f32 after a JPEG pass.

    ``judged`` frames of each clip are judged, evenly spread over its second half: int8 is
    calibrated on a first half.
    """
    changes = asyncio.run(_judge(clips, judged, specs))
    rows = []
    for (clip, name), change in changes.items():
        figures = (change.judged, change.lost, change.new)
        parts = (f"{100 * change.changed:.2f} %", f"{change.mask_iou:.4f}")
        rows.append([f"{name}, {clip}", *map(str, figures), *parts])
    for name in dict.fromkeys(name for _, name in changes):
        both = [change for (_, of), change in changes.items() if of == name]
        report.figure(f"accuracy.{name}_mask_iou", min(change.mask_iou for change in both))
        report.figure(f"accuracy.{name}_changed", max(change.changed for change in both))
    report.table(["against f32", "instances", "lost", "new", "changed", "mean mask IoU"], rows)


async def _judge(
    clips: Sequence[Path], judged: int, specs: Mapping[str, ModelSpec]
) -> dict[tuple[str, str], Change]:
    jpeg = JpegCodec(JPEG_QUALITY, 10**9, 10**9)
    changes: dict[tuple[str, str], Change] = defaultdict(Change)
    async with AsyncExitStack() as stack:
        models = {
            name: await stack.enter_async_context(opened(spec)) for name, spec in specs.items()
        }
        for clip in clips:
            for pixels in _second_half(clip, judged):
                reference = await _segment(models["f32"], pixels)
                for name, model in models.items():
                    if name != "f32":
                        changes[clip.stem, name].add(reference, await _segment(model, pixels))
                again = await _segment(models["f32"], jpeg.decode(jpeg.encode(pixels)))
                changes[clip.stem, f"jpeg{JPEG_QUALITY}"].add(reference, again)
    return changes


async def _segment(model: Model, pixels: Pixels) -> Sequence[Instance]:
    height, width = pixels.shape[:2]
    (instances,) = await model.segment([View(pixels, Window(0, 0, width, height))])
    return instances


def _second_half(clip: Path, count: int) -> Iterator[Pixels]:
    with av.open(str(clip)) as source:
        video = source.streams.video[0]
        first = video.frames // 2
        step = max(1, (video.frames - first) // count)
        for index, picture in enumerate(source.decode(video)):
            if index >= first and (index - first) % step == 0:
                yield picture.to_ndarray(format="bgr24")
