"""From the raw outputs of one picture to what is found in it, in numpy on the host."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.models.candidates import Level, find
from connectors.models.letterbox import Geometry
from connectors.models.mask_edges import edges, scaling
from connectors.models.network import Detection, Query


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """The outputs of one picture: its levels, and prototypes (rows, columns, 32) float32."""

    levels: tuple[Level, ...]
    prototypes: NDArray[np.float32]


def split(outputs: Sequence[NDArray[np.float32]], strides: Sequence[int], count: int) -> list[Raw]:
    """The outputs of `connectors.models.raw_head.RawHead`, picture by picture, without a copy."""
    return [
        Raw(
            levels=tuple(
                Level(stride, *(outputs[3 * level + kind][index] for kind in range(3)))
                for level, stride in enumerate(strides)
            ),
            prototypes=outputs[-1][index],
        )
        for index in range(count)
    ]


def detect(raw: Raw, query: Query) -> list[Detection]:
    """What is found in one picture, best score first."""
    found = find(raw.levels, query.confidence, query.iou, query.wanted)
    if not len(found.scores):
        return []
    boxes = _to_window(found.boxes, query.geometry)
    how = scaling(raw.prototypes.shape[:2], query.geometry.window)
    place = (*query.corner, query.frame_height)
    return [
        Detection(box, score, label, edges(raw.prototypes, weights, box, how, place))
        for box, score, label, weights in zip(
            map(tuple, boxes.tolist()),
            found.scores.tolist(),
            found.labels.tolist(),
            found.masks,
            strict=True,
        )
    ]


def _to_window(boxes: NDArray[np.float32], geometry: Geometry) -> NDArray[np.float32]:
    """Boxes in network pixels, as window pixels, clipped to it."""
    height, width = geometry.window
    gain = np.array([geometry.inner[1] / width, geometry.inner[0] / height] * 2, np.float32)
    corner = np.array([geometry.left, geometry.top] * 2, np.float32)
    limit = np.array([width, height] * 2, np.float32)
    placed: NDArray[np.float32] = np.clip((boxes - corner) / gain, 0, limit)
    return placed
