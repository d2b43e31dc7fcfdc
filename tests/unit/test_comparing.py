"""What two models say of one frame."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.comparing import SAME_IOU, agreement
from stream.types import Instance
from tests.support.build import instance

CELL = 16
PLACES = st.lists(st.integers(0, 11), unique=True, max_size=8)


@st.composite
def frames(draw: st.DrawFn) -> list[Instance]:
    """Instances each in a cell of its own of a frame of 48 × 64, so that no two overlap."""
    found = []
    for place in draw(PLACES):
        x, y = CELL * (place % 4), CELL * (place // 4)
        width, height = draw(st.integers(1, CELL)), draw(st.integers(1, CELL))
        left, top = x + draw(st.integers(0, CELL - width)), y + draw(st.integers(0, CELL - height))
        label = draw(st.sampled_from(["person", "box"]))
        score = draw(st.floats(0.25, 1))
        found.append(instance((left, top, left + width, top + height), label, score))
    return found


@given(frames())
def test_equal_results_agree_in_all(found: Sequence[Instance]) -> None:
    told = agreement(found, found)
    assert (told.new, told.lost) == ((), ())
    assert [each.iou for each in told.matched] == [1.0] * len(found)
    assert all(first == shadow for first, shadow in (each.scores for each in told.matched))


@given(frames(), frames())
def test_what_one_finds_beside_the_other_is_what_that_one_misses(
    first: Sequence[Instance], shadow: Sequence[Instance]
) -> None:
    one, other = agreement(first, shadow), agreement(shadow, first)
    assert (one.new, one.lost) == (other.lost, other.new)
    turned = sorted((each.label, each.iou, each.scores[::-1]) for each in other.matched)
    assert sorted((each.label, each.iou, each.scores) for each in one.matched) == turned


@given(frames(), frames(), st.randoms())
def test_the_order_of_instances_changes_nothing(
    first: list[Instance], shadow: list[Instance], random: st.DataObject
) -> None:
    before = agreement(first, shadow)
    mixed = [first[:], shadow[:]]
    for each in mixed:
        random.shuffle(each)  # type: ignore[attr-defined]
    after = agreement(*mixed)
    assert Counter(after.matched) == Counter(before.matched)
    assert (after.new, after.lost) == (before.new, before.lost)


@given(frames(), frames())
def test_each_instance_is_told_once(first: Sequence[Instance], shadow: Sequence[Instance]) -> None:
    told = agreement(first, shadow)
    assert len(told.matched) + len(told.lost) == len(first)
    assert len(told.matched) + len(told.new) == len(shadow)
    assert all(SAME_IOU < each.iou <= 1 for each in told.matched)


def test_the_same_mask_under_another_label_is_lost_and_new() -> None:
    told = agreement([instance(label="person")], [instance(label="box")])
    assert (told.matched, told.lost, told.new) == ((), ("person",), ("box",))


@pytest.mark.parametrize(("width", "matches"), [(10, 0), (11, 1)])
def test_half_of_what_both_cover_is_too_little(width: int, matches: int) -> None:
    told = agreement([instance((0, 0, 20, 10))], [instance((0, 0, width, 10))])
    assert len(told.matched) == matches


def test_of_several_that_overlap_the_best_pairs_in_sum_are_taken() -> None:
    first = [instance((0, 0, 20, 10)), instance((2, 0, 22, 10))]
    shadow = [instance((2, 0, 22, 10)), instance((0, 0, 20, 10))]
    assert [each.iou for each in agreement(first, shadow).matched] == [1.0, 1.0]


def test_two_pairs_are_taken_rather_than_a_closer_one_alone() -> None:
    first = [instance((left, 0, left + 20, 10)) for left in (5, 11)]
    shadow = [instance((left, 0, left + 20, 10)) for left in (6, 0)]
    told = agreement(first, shadow)
    assert [each.iou for each in told.matched] == [pytest.approx(0.6)] * 2
    assert (told.lost, told.new) == ((), ())
