"""f32 gives what ultralytics gives: the same instances, boxes and masks, frame by frame.

An instance that only one of the two has is a flip. It is allowed where rounding decides: its score
lies at the threshold, or its IoU with a better box at the limit of the suppression. Every flip
must name which of the two it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from connectors.models import Artefact, open_model
from connectors.models.segmenter import Segmenter
from stream.masks import Mask, iou
from stream.ports import View, Window
from stream.specs import ModelSpec
from stream.types import Box, Instance, Pixels
from tests.models.conftest import CLIPS, FRAMES

SIZES = {"own": None, "4cif": (704, 576), "4mp": (2688, 1520), "portrait": (432, 768)}
"""(width, height) that a frame is rescaled to; ultralytics' mask code takes another way in each."""

CONFIDENCE, IOU = 0.25, 0.7
ROUNDING = 1e-3
TORCH_EVERY = 5
"""The slower runtime is compared on every fifth frame, and so in each of the sizes."""


@dataclass
class Comparison:
    """How two lists of instances of the same frames differ."""

    box_px: list[float] = field(default_factory=list)
    mask_iou: list[float] = field(default_factory=list)
    flips: list[str] = field(default_factory=list)

    def add(self, ours: list[Instance], theirs: list[Instance]) -> None:
        pairs = list(_pairs(ours, theirs))
        self.mask_iou += [iou(a.mask, b.mask) for a, b in pairs]
        self.box_px += [np.abs(np.subtract(a.box, b.box)).max() for a, b in pairs]
        matched = {id(each) for pair in pairs for each in pair}
        both = [*ours, *theirs]
        self.flips += [_cause(each, both) for each in both if id(each) not in matched]

    def check(self) -> None:
        assert len(self.mask_iou) > 0
        assert "unexplained" not in self.flips
        assert len(self.flips) <= 0.01 * len(self.mask_iou)
        assert max(self.box_px) <= 1
        assert min(self.mask_iou) >= 0.98
        assert np.median(self.mask_iou) >= 0.995


def _pairs(ours: list[Instance], theirs: list[Instance]) -> Iterator[tuple[Instance, Instance]]:
    left = list(theirs)
    for one in ours:
        alike = [other for other in left if other.label == one.label]
        if not alike:
            continue
        best = max(alike, key=lambda other: _box_iou(one.box, other.box))
        if _box_iou(one.box, best.box) > 0.9:
            left = [other for other in left if other is not best]
            yield one, best


def _cause(flip: Instance, both: list[Instance]) -> str:
    if abs(flip.score - CONFIDENCE) < ROUNDING:
        return "score at the threshold"
    rivals = [other for other in both if other is not flip and other.label == flip.label]
    if any(abs(_box_iou(flip.box, other.box) - IOU) < ROUNDING for other in rivals):
        return "overlap at the limit of the suppression"
    return "unexplained"


def _box_iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return common / (sum(areas) - common)


def _theirs(seen: Any) -> list[Instance]:
    found = []
    for index, box in enumerate(seen.boxes):
        x1, y1, x2, y2 = box.xyxy[0].tolist()
        x, y = int(x1), int(y1)  # nothing of a mask lies outside its box
        crop = seen.masks.data[index, y : int(y2) + 1, x : int(x2) + 1].numpy().astype(np.bool_)
        mask = Mask.from_bitmap(seen.orig_shape, crop, x, y)
        found.append(Instance(seen.names[int(box.cls)], float(box.conf), (x1, y1, x2, y2), mask))
    return found


def _spec(artefact: Artefact, backend: str) -> ModelSpec:
    return ModelSpec.model_validate({"weights": artefact.folder, "backend": backend})


async def _ours(model: Segmenter, pixels: Pixels) -> list[Instance]:
    height, width = pixels.shape[:2]
    (found,) = await model.segment([View(pixels, Window(0, 0, width, height))])
    return list(found)


@pytest.mark.timeout(1200)  # half a minute each on two free cores
@pytest.mark.parametrize("clip", [CLIPS[0], pytest.param(CLIPS[1], marks=pytest.mark.slow)])
async def test_f32_sees_what_ultralytics_sees(
    clip: str,
    artefact: Artefact,
    predict: Callable[[Pixels], Any],
    pictures: Callable[[str], list[Pixels]],
    tmp_path: Path,
) -> None:
    sizes = cycle(SIZES.values())
    on_openvino, on_torch = Comparison(), Comparison()
    async with (
        open_model(_spec(artefact, "openvino"), tmp_path, tmp_path) as openvino,
        open_model(_spec(artefact, "torch"), tmp_path, tmp_path) as torch,
    ):
        frames = pictures(clip)
        assert len(frames) == FRAMES
        for index, (frame, target) in enumerate(zip(frames, sizes, strict=False)):
            pixels = frame if target is None else cv2.resize(frame, target)
            theirs = _theirs(predict(pixels))
            on_openvino.add(await _ours(openvino, pixels), theirs)
            if index % TORCH_EVERY == 0:
                on_torch.add(await _ours(torch, pixels), theirs)
    for comparison in (on_openvino, on_torch):
        comparison.check()
    print(
        f"{clip}: {len(on_openvino.mask_iou)} instances, "
        f"box ≤ {max(on_openvino.box_px):.5f} px, "
        f"mask IoU ≥ {min(on_openvino.mask_iou):.6f}, "
        f"median {np.median(on_openvino.mask_iou):.6f}, flips: {on_openvino.flips or 'none'}"
    )
