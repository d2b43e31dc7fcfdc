"""Boxes from raw outputs: what passes, what is suppressed, and in which order."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectors.models.candidates import CLASS_OFFSET_PX, MOST_KEPT, Level, find, suppress
from tests.support.required import require

NONE = -20.0

Detections = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]


def level(rows: int = 4, columns: int = 6, labels: int = 3) -> Level:
    """Nothing is seen; every box reaches 7.5 strides to each side."""
    return Level(
        stride=8,
        boxes=np.zeros((rows, columns, 64), np.float32),
        labels=np.full((rows, columns, labels), NONE, np.float32),
        masks=np.arange(rows * columns * 32, dtype=np.float32).reshape(rows, columns, 32),
    )


def logit(score: float) -> float:
    return float(np.log(score / (1 - score)))


def test_nothing_above_the_threshold_is_nothing_found() -> None:
    found = find([level(), level(2, 3)], 0.25, 0.7, None)
    assert found.boxes.shape == (0, 4)
    assert found.masks.shape == (0, 32)


def test_a_box_reaches_as_far_as_its_bins_say() -> None:
    seen = level()
    seen.labels[1, 2, 0] = logit(0.9)
    for side, bin_index in enumerate((0, 1, 2, 3)):
        seen.boxes[1, 2, 16 * side + bin_index] = 100
    found = find([seen], 0.25, 0.7, None)
    np.testing.assert_allclose(found.boxes, [[20, 4, 36, 36]], atol=1e-3)
    np.testing.assert_allclose(found.scores, [0.9], atol=1e-6)
    np.testing.assert_array_equal(found.masks[0], seen.masks[1, 2])


def test_a_score_must_lie_above_the_threshold() -> None:
    seen = level()
    seen.labels[0, 0, 0] = 0.0
    assert len(find([seen], 0.5, 0.7, None).scores) == 0
    assert len(find([seen], 0.4999, 0.7, None).scores) == 1


def test_a_cell_has_its_best_label_only_and_is_dropped_with_it() -> None:
    seen = level()
    seen.labels[0, 0] = [logit(0.6), logit(0.9), NONE]
    assert find([seen], 0.25, 0.7, None).labels.tolist() == [1]
    assert len(find([seen], 0.25, 0.7, np.array([True, False, True])).scores) == 0


def test_instances_of_all_levels_come_best_first() -> None:
    fine, coarse = level(40, 60), level(20, 30)
    fine.labels[0, 0, 0], fine.labels[39, 59, 0] = logit(0.5), logit(0.7)
    coarse.labels[10, 15, 1] = logit(0.6)
    np.testing.assert_allclose(
        find([fine, coarse], 0.25, 0.7, None).scores, [0.7, 0.6, 0.5], atol=1e-6
    )


def test_at_most_300_instances_stay() -> None:
    corners = np.arange(400, dtype=np.float32)[:, None] * 20
    boxes = np.concatenate([corners, corners, corners + 10, corners + 10], 1)
    scores = np.linspace(0.9, 0.3, 400, dtype=np.float32)
    kept = suppress(boxes, scores, np.zeros(400, np.intp), 0.7)
    assert kept.tolist() == list(range(MOST_KEPT))


def test_equal_scores_keep_their_order_and_the_limit_itself_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 5, 10], [0, 0, 10, 10]], np.float32)
    scores = np.full(3, 0.5, np.float32)
    assert suppress(boxes, scores, np.zeros(3, np.intp), 0.5).tolist() == [0, 1]


@pytest.fixture(scope="session")
def torchvision() -> None:
    present = find_spec("torchvision") is not None
    require("segment", present, "torchvision is not installed: the segment extra")


@st.composite
def detections(draw: st.DrawFn) -> Detections:
    """Crowded boxes on whole and half pixels, with many equal scores and IoUs."""
    count = draw(st.integers(0, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    corners = rng.integers(0, 24, (count, 2)) / 2
    boxes = np.concatenate([corners, corners + rng.integers(0, 24, (count, 2)) / 2], 1)
    scores = rng.integers(1, 8, count) / 8
    labels = rng.integers(0, 80, count) * rng.integers(0, 2, count)
    return boxes.astype(np.float32), scores.astype(np.float32), labels


@given(detections(), st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.7, 1.0]))
def test_suppression_keeps_what_torchvision_keeps(
    torchvision: None, seen: Detections, limit: float
) -> None:
    import torch
    from torchvision.ops import batched_nms, nms

    boxes, scores, labels = (torch.from_numpy(part) for part in seen)
    kept = suppress(*seen, limit).tolist()
    offset = boxes + (labels * CLASS_OFFSET_PX).float()[:, None]
    assert kept == nms(offset, scores, limit)[:MOST_KEPT].tolist()
    by_label = batched_nms(boxes, scores, labels, limit).tolist()
    assert sorted(kept) == sorted(by_label)
