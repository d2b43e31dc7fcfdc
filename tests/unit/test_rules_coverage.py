"""``kind: coverage``, result by result: a zone of 40 × 100 pixels."""

from hypothesis import given
from hypothesis import strategies as st

from stream.masks import Mask
from stream.rules import Coverage
from tests.support.crowd import SIZE, Shot, shot, somebody, told, watch


def rule(**settings: object) -> Coverage:
    return Coverage.model_validate(
        {"id": "spill", "zone": "floor", "for": "0.4s", "resolve": "1s"} | settings
    )


def puddle(x: int, width: int, seq: int = 0) -> Shot:
    """All rows from 0 to 100 would be 100 high: this is 40 high, so 40 px a column."""
    return shot(seq, somebody(x, "water", width=width))


def test_it_opens_where_enough_of_the_zone_is_covered_for_long_enough() -> None:
    small = [puddle(170, 10, seq) for seq in range(5)]
    large = [puddle(165, 25, seq) for seq in range(5, 10)]
    assert told(watch(rule(at_least=0.25), small + large)) == [("opened", 1.4)]


def test_it_measures_the_zone_that_is_covered_and_not_the_mask_that_lies_in_it() -> None:
    """A mask that is mostly outside covers what it covers."""
    (alert,) = watch(rule(at_least=0.05, **{"for": 0}), [puddle(60, 110)])
    assert alert.evidence is not None
    assert alert.evidence.value == 10 * 40 / (40 * 100)
    assert alert.detail == "0.10 covered; at least 0.05"


def test_pixels_that_two_masks_share_count_once() -> None:
    twice = shot(0, somebody(165, width=20), somebody(175, width=20))
    (alert,) = watch(rule(at_least=0.1, **{"for": 0}), [twice])
    assert alert.evidence is not None
    assert alert.evidence.value == 30 * 40 / (40 * 100)


def test_at_most_is_for_what_should_be_there() -> None:
    full = [puddle(160, 40, seq) for seq in range(5)]
    empty = [shot(seq) for seq in range(5, 10)]
    assert told(watch(rule(at_most=0.1), full + empty)) == [("opened", 1.4)]


def test_without_a_zone_it_is_the_part_of_the_picture() -> None:
    (alert,) = watch(rule(zone=None, camera="yard", at_least=0.01, **{"for": 0}),
                     [puddle(0, 50)], None)  # fmt: skip
    assert alert.evidence is not None
    assert alert.evidence.value == 50 * 40 / (SIZE[0] * SIZE[1])


def test_a_zone_that_is_wholly_ignored_is_never_covered() -> None:
    assert watch(rule(at_least=0.01), [puddle(160, 40)], Mask.from_edges(SIZE, [])) == []


@given(st.lists(st.tuples(st.integers(0, 190), st.integers(1, 10)), max_size=30))
def test_state_kept_as_bytes_has_the_same_future(given_: list[tuple[int, int]]) -> None:
    shots = [puddle(x, width, seq) for seq, (x, width) in enumerate(given_)]
    assert watch(rule(at_least=0.05), shots, kept=True) == watch(rule(at_least=0.05), shots)
