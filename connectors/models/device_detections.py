"""What is found in a batch, from the device to the host in one copy.

All that the host has to know lies in one array of int32: what was needed, then of each picture how
many instances it has, then their boxes, scores and labels, where their edges lie, and the edges.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from connectors.models.candidates import MOST_KEPT
from connectors.models.device_boxes import Boxes
from connectors.models.device_masks import Edges
from connectors.models.device_room import Room
from connectors.models.network import Detection

Tensor = Any

_MOST = 2**31 - 1
"""What is needed beyond this is told as this: no device has memory for it anyway."""


def pack(seen: Boxes, masks: Edges) -> Tensor:
    """One array of int32 of boxes and masks, on the device."""
    needed = torch.cat([seen.needed.amax()[None], seen.rounds[None], masks.needed])
    parts = (
        needed.clamp_max(_MOST).int(),
        seen.count.int(),
        seen.boxes.view(torch.int32),
        seen.scores.view(torch.int32),
        seen.labels.int(),
        masks.bounds.int(),
        masks.positions,
    )
    return torch.cat([part.flatten() for part in parts])


def needed(packed: NDArray[np.int32]) -> Room:
    """What the batch would have taken; only where it had it, all the rest is right."""
    return Room(*packed[: len(Room._fields)].tolist())


def unpack(packed: NDArray[np.int32], places: int, count: int) -> list[list[Detection]]:
    """What was found in the first ``count`` pictures of a batch with so many ``places``."""
    most = places * MOST_KEPT
    sizes = (len(Room._fields), places, 4 * most, most, most, most + 1)
    _, counts, boxes, scores, labels, bounds, edges = np.split(packed, np.cumsum(sizes))
    found = []
    for picture, kept in enumerate(counts[:count].tolist()):
        first = picture * MOST_KEPT
        mine = slice(first, first + kept)
        found.append(
            [
                Detection(box, score, label, _ascending(edges, *ends))
                for box, score, label, ends in zip(
                    map(tuple, boxes.view(np.float32).reshape(-1, 4)[mine].tolist()),
                    scores.view(np.float32)[mine].tolist(),
                    labels[mine].tolist(),
                    pairwise(bounds[first : first + kept + 1].tolist()),
                    strict=True,
                )
            ]
        )
    return found


def _ascending(edges: NDArray[np.int32], start: int, stop: int) -> NDArray[np.int32]:
    """A copy of the edges of one instance. Rounding may swap two at one pixel: they become equals,
    an empty run.
    """
    ascending: NDArray[np.int32] = np.maximum.accumulate(edges[start:stop])
    return ascending
