"""``kind: contact``, result by result: a forklift and people in a picture of 200 × 100 px.

All are 10 × 40 px, from row 30 on.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.masks import Mask, distance
from stream.rules import Contact
from stream.rules.contact import PAIRS_MAX
from stream.types import Alert
from tests.support.crowd import ZONE, Shot, shot, somebody, told, watch


def rule(**settings: object) -> Contact:
    return Contact.model_validate(
        {"id": "near", "camera": "yard", "labels": ["forklift"], "others": ["person"]}
        | {"frames": 1, "resolve": 0}
        | settings
    )


def beside(gap_px: int, seq: int = 0, score: float = 0.9) -> Shot:
    """A forklift ``a`` and a person ``b``, with so many columns between them."""
    return shot(seq, somebody(50, "forklift", 0.8), somebody(60 + gap_px, score=score))


def alone(label: str, seq: int = 0) -> Shot:
    return shot(seq, somebody(50, label))


def first(watched: Contact, *shots: Shot) -> Alert | None:
    alerts = watch(watched, shots, None)
    return alerts[0] if alerts else None


def test_masks_that_touch_or_overlap_open_it_and_others_do_not() -> None:
    assert told(watch(rule(), [beside(0)], None)) == [("opened", 0.0)]
    assert told(watch(rule(), [beside(-5)], None)) == [("opened", 0.0)]
    assert watch(rule(), [beside(1)], None) == []


def test_a_corner_is_a_touch() -> None:
    corner = shot(0, somebody(50, "forklift", height=10), somebody(60, height=10))
    below = shot(0, somebody(50, "forklift", height=10), somebody(60, height=9))
    assert first(rule(), corner) is not None
    assert first(rule(), below) is not None
    assert first(rule(), shot(0, somebody(50, "forklift"), somebody(61))) is None


def test_near_is_a_part_of_the_pictures_height() -> None:
    """The picture is 100 px high; 4 columns between masks are 5 from pixel to pixel."""
    assert first(rule(within=0.05), beside(4)) is not None
    assert first(rule(within=0.04), beside(4)) is None


def test_it_takes_so_many_results_in_a_row() -> None:
    shots = [beside(0, 0), beside(0, 1), beside(9, 2), *(beside(0, seq) for seq in range(3, 6))]
    assert told(watch(rule(frames=3), shots, None)) == [("opened", 1.0)]


def test_it_resolves_when_they_have_parted_for_long_enough() -> None:
    shots = [beside(0), *(beside(20, seq) for seq in range(1, 9))]
    assert told(watch(rule(resolve="1s"), shots, None)) == [("opened", 0.0), ("resolved", 1.0)]


def test_it_names_both_sides_and_shows_the_more_certain_one() -> None:
    alert = first(rule(within=0.1), beside(4))
    assert alert is not None
    assert (alert.kind, alert.labels, alert.tracks) == (
        "contact",
        ("forklift", "person"),
        ("a", "b"),
    )
    assert alert.evidence is not None
    assert (alert.evidence.score, alert.evidence.value) == (0.9, 0.05)
    assert alert.evidence.mask == somebody(64).mask
    assert alert.detail == "forklift and person are 0.050 of the picture's height apart; within 0.1"


def test_those_who_touch_are_no_distance_apart() -> None:
    alert = first(rule(), beside(0))
    assert alert is not None
    assert alert.evidence is not None
    assert (alert.evidence.value, alert.detail) == (0.0, "forklift and person touch")


def test_the_nearest_pair_is_the_evidence_and_all_are_named() -> None:
    people = [somebody(62), somebody(47 - 10), somebody(150)]
    alert = first(rule(within=0.2), shot(0, somebody(50, "forklift"), *people))
    assert alert is not None
    assert alert.tracks == ("a", "b", "c")
    assert alert.evidence is not None
    assert alert.evidence.value == 0.03


def test_who_comes_near_later_joins() -> None:
    forklift = somebody(50, "forklift")
    shots = [shot(seq, forklift, somebody(60), names="ab") for seq in range(51)]
    shots += [shot(seq, forklift, somebody(60), somebody(40)) for seq in range(51, 60)]
    opened, updated = watch(rule(), shots, None)
    assert (updated.state, updated.id, updated.tracks) == ("updated", opened.id, ("a", "b", "c"))


def test_one_label_may_stand_on_both_sides_but_nobody_touches_themselves() -> None:
    both = rule(labels=["forklift"], others=["forklift"])
    assert first(both, alone("forklift")) is None
    alert = first(both, shot(0, somebody(50, "forklift"), somebody(60, "forklift")))
    assert alert is not None
    assert alert.tracks == ("a", "b")


def test_without_labels_anything_near_the_others_counts() -> None:
    anything = rule(labels=None)
    assert first(anything, shot(0, somebody(50, "box"), somebody(60))) is not None
    assert first(anything, shot(0, somebody(50, "box"), somebody(60, "box"))) is None


def test_neither_side_alone_nor_two_of_one_side_open_it() -> None:
    assert first(rule(), alone("person")) is None
    assert first(rule(), alone("forklift")) is None
    assert first(rule(), shot(0, somebody(50), somebody(60))) is None


def test_both_have_to_count_in_the_zone_and_by_score() -> None:
    inside = shot(0, somebody(165, "forklift"), somebody(175))
    half_out = shot(0, somebody(149, "forklift"), somebody(159))
    zoned = rule(zone="exit")
    assert told(watch(zoned, [inside], ZONE)) == [("opened", 0.0)]
    assert watch(zoned, [half_out], ZONE) == []
    assert first(rule(score=0.85), beside(0)) is None


@given(st.lists(st.integers(-3, 8) | st.none(), max_size=40), st.integers(1, 3))
def test_state_kept_as_bytes_has_the_same_future(gaps: list[int | None], frames: int) -> None:
    shots = [
        alone("person", seq) if gap is None else beside(gap, seq) for seq, gap in enumerate(gaps)
    ]
    watched = rule(frames=frames, within=0.04, resolve="0.4s")
    assert watch(watched, shots, None, kept=True) == watch(watched, shots, None)


@given(st.lists(st.integers(-3, 8), max_size=40))
def test_the_sides_exchanged_give_the_same_moments(gaps: list[int]) -> None:
    shots = [beside(gap, seq) for seq, gap in enumerate(gaps)]
    turned = rule(labels=["person"], others=["forklift"])
    assert told(watch(turned, shots, None)) == told(watch(rule(), shots, None))


def test_in_a_crowd_the_nearest_pairs_are_measured_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured: list[float] = []

    def counted(a: Mask, b: Mask, within_px: float) -> float:
        measured.append(distance(a, b, within_px))
        return measured[-1]

    monkeypatch.setattr("stream.rules.contact.distance", counted)
    crowd = [somebody(2 * n, height=2 + n % 7, width=1) for n in range(90)]
    (alert,) = watch(rule(labels=["person"], others=["person"], within=1.0, frames=1),
                     [shot(0, *crowd, names="")], None)  # fmt: skip
    assert len(measured) == PAIRS_MAX
    assert alert.evidence is not None
    assert alert.evidence.value == round(min(measured) / 100, 4)
