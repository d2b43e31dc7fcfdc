"""Score the demo's model on looks that it was not trained on, against exact masks.

COCO's protocol (pycocotools) at the camera's own resolution, 832x468. Slivers under
`dataset.LEAST` pixels are ignored, as COCO ignores crowds: finding one is neither right nor wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from connectors.demo import dataset, yolo
from connectors.demo.geometry import HEIGHT, WIDTH
from connectors.demo.looks import HELD_OUT
from connectors.demo.render import LABELS, Frame, Image
from connectors.demo.scene import drawn_frame

FIRST_SEED = 50_000_000
"""The first of the scenes that neither training nor its check has drawn."""


class Score(NamedTuple):
    """Mask average precision at IoU 0.5, and its mean over IoU 0.5 to 0.95 (COCO)."""

    map50: float
    map50_95: float


@dataclass(frozen=True, slots=True)
class Found:
    """One detection: a label's index, a confidence and a mask (468, 832) bool."""

    label: int
    confidence: float
    mask: NDArray[np.bool_]


Segmenter = Callable[[Image], Sequence[Found]]


def segmenter(weights: Path) -> Segmenter:
    """A trained checkpoint as a function from a picture to what is found in it."""
    model = yolo.load(weights)

    def find(image: Image) -> list[Found]:
        result = model.predict(
            image,
            imgsz=yolo.IMAGE_SIZE,
            conf=0.001,
            retina_masks=True,  # masks at the picture's resolution
            max_det=100,
            device="cpu",
            verbose=False,
        )[0]
        if result.masks is None:
            return []
        labels, scores = result.boxes.cls.tolist(), result.boxes.conf.tolist()
        masks = result.masks.data.numpy() > 0.5
        return [Found(int(a), b, c) for a, b, c in zip(labels, scores, masks, strict=True)]

    return find


def evaluate(find: Segmenter, frames: int) -> dict[str, Score]:
    """The score of each label, and of 'all', on so many held-out frames."""
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number in range(frames):
        frame = drawn_frame(FIRST_SEED + number, HELD_OUT)
        truth += _true(frame, number)
        found += _guessed(find(frame.image), number)
    for position, note in enumerate(truth, start=1):
        note["id"] = position  # COCOeval takes an id of 0 for no match
    precision = _precision(truth, found, frames)
    scores = {name: _score(precision[:, :, k]) for k, name in enumerate(LABELS)}
    return {**scores, "all": _score(precision)}


def _score(precision: NDArray[np.float64]) -> Score:
    # COCO writes -1 where a label has no instance at all
    at_half = precision[0]
    return Score(float(at_half[at_half >= 0].mean()), float(precision[precision >= 0].mean()))


def _true(frame: Frame, number: int) -> Iterator[dict[str, Any]]:
    for index, label in enumerate(frame.labels):
        mask = frame.mask(index)
        if mask.any():
            area = int(mask.sum())
            yield _note(number, label, mask) | {"area": area, "iscrowd": int(area < dataset.LEAST)}


def _guessed(found: Sequence[Found], number: int) -> Iterator[dict[str, Any]]:
    for one in found:
        if one.mask.any():
            yield _note(number, one.label, one.mask) | {"score": one.confidence}


def _note(number: int, label: int, mask: NDArray[np.bool_]) -> dict[str, Any]:
    from pycocotools import mask as coco_mask

    runs = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {"image_id": number, "category_id": label, "segmentation": runs}


def _precision(
    truth: list[dict[str, Any]], found: list[dict[str, Any]], frames: int
) -> NDArray[np.float64]:
    """COCO's precision by IoU threshold (10), recall (101) and label."""
    if not found:
        return np.zeros((10, 101, len(LABELS)))  # pycocotools refuses an empty list
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    coco = COCO()
    images = [{"id": i, "width": WIDTH, "height": HEIGHT} for i in range(frames)]
    labels = [{"id": i, "name": name} for i, name in enumerate(LABELS)]
    coco.dataset = {"info": {}, "images": images, "categories": labels, "annotations": truth}
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(found), "segm")
        run.evaluate()
        run.accumulate()
    everything, most = 0, 2  # all sizes, up to 100 detections a frame
    return np.asarray(run.eval["precision"][..., everything, most], np.float64)


def main() -> None:
    """The command: `python -m connectors.demo.evaluate`."""
    parser = argparse.ArgumentParser(description="Score the demo's model on held-out looks.")
    parser.add_argument("--weights", type=Path, default=yolo.WEIGHTS)
    parser.add_argument("--frames", type=int, default=300)
    given = parser.parse_args()
    scores = evaluate(segmenter(given.weights), given.frames)
    print(f"{'label':<10}{'mask mAP50':>12}{'mAP50-95':>10}")
    for label, score in scores.items():
        print(f"{label:<10}{score.map50:>12.3f}{score.map50_95:>10.3f}")


if __name__ == "__main__":
    main()
