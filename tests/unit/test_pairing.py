"""Results of two models meet by camera, epoch and seq."""

from collections import Counter
from collections.abc import Sequence
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from stream.pairing import MOST_GAPS, SIDES, Alone, Pair, Pairing, Side
from stream.types import GapReason

LIMIT_US = 1000
SIZE = 7

Said = tuple[int, int, GapReason | None]
"""An epoch, a seq, and the reason where the frame is a gap."""
Settled = Sequence[Pair[str] | Alone]


@st.composite
def stories(draw: st.DrawFn) -> list[Said]:
    """What a side says of a camera, in order; some frames it does not speak of."""
    told: list[Said] = []
    for epoch in range(draw(st.integers(1, 2))):
        for seq in range(draw(st.integers(0, 6))):
            word = draw(st.sampled_from(["result", "stale", "dead_letter", "nothing"]))
            if word != "nothing":
                told.append((epoch, seq, cast(GapReason, word) if word != "result" else None))
    return told


def say(pairing: Pairing[str], side: Side, said: Said, now_us: int = 0) -> Settled:
    epoch, seq, reason = said
    at = epoch, seq
    if reason is None:
        return pairing.result(side, "hall", at, f"{side} {at}", SIZE, now_us)
    return pairing.gap(side, "hall", at, at, reason)


def told(
    stories: tuple[list[Said], list[Said]], turns: Sequence[bool]
) -> Counter[Pair[str] | Alone]:
    """What is settled where sides speak in these turns."""
    pairing, settled = Pairing[str](LIMIT_US), Counter[Pair[str] | Alone]()
    left = [list(each) for each in stories]
    for turn in [*turns, *[False] * len(left[0]), *[True] * len(left[1])]:
        if left[turn]:
            settled.update(say(pairing, SIDES[turn], left[turn].pop(0)))
    return settled


@given(st.tuples(stories(), stories()), st.lists(st.booleans()), st.lists(st.booleans()))
def test_who_speaks_first_changes_nothing(
    both: tuple[list[Said], list[Said]], turns: list[bool], others: list[bool]
) -> None:
    assert told(both, turns) == told(both, others)


@given(stories(), st.lists(st.booleans()))
def test_of_two_that_say_the_same_each_result_has_its_partner(
    story: list[Said], turns: list[bool]
) -> None:
    settled = told((story, story), turns)
    assert settled.total() == sum(reason is None for *_, reason in story)
    for each in settled:
        assert isinstance(each, Pair)
        assert each.first.removeprefix("model") == each.shadow.removeprefix("shadow")


@given(st.tuples(stories(), stories()), st.lists(st.booleans()))
def test_each_result_is_told_once_at_the_most_and_what_comes_again_is_not(
    both: tuple[list[Said], list[Said]], turns: list[bool]
) -> None:
    once = told(both, turns)
    again = tuple([each for each in story for _ in range(2)] for story in both)
    assert told(cast(tuple[list[Said], list[Said]], again), turns) == once
    results = sum(reason is None for story in both for *_, reason in story)
    pairs = sum(isinstance(each, Pair) for each in once.elements())
    assert 2 * pairs + (once.total() - pairs) <= results


def test_a_frame_without_partner_is_told_with_the_gap_of_the_other() -> None:
    pairing = Pairing[str](LIMIT_US)
    for side in SIDES:
        say(pairing, side, (1, 0, None))
    assert pairing.gap("shadow", "hall", (1, 1), (1, 3), "stale") == []
    assert say(pairing, "model", (1, 2, None)) == [Alone("hall", "model", "stale")]
    assert say(pairing, "model", (1, 4, None)) == []
    assert say(pairing, "shadow", (1, 5, None)) == [Alone("hall", "model", "missing")]


def test_what_was_said_before_the_other_began_does_not_count() -> None:
    pairing = Pairing[str](LIMIT_US)
    for seq in range(3):
        assert say(pairing, "model", (1, seq, None)) == []
    (pair,) = say(pairing, "shadow", (1, 2, None))
    assert pair == Pair("hall", "model (1, 2)", "shadow (1, 2)")
    assert set(pairing.size.values()) == {0}


def test_who_is_silent_is_waited_for_as_long_as_the_limit_and_no_frame_counts_twice() -> None:
    pairing = Pairing[str](LIMIT_US)
    for side in SIDES:
        say(pairing, side, (1, 0, None))
    say(pairing, "model", (1, 1, None), now_us=500)
    say(pairing, "model", (1, 2, None), now_us=600)
    assert pairing.lapse(1499) == []
    assert pairing.lapse(1500) == [Alone("hall", "model", "late")]
    assert pairing.size == {"model": SIZE, "shadow": 0}
    assert say(pairing, "shadow", (1, 1, None)) == []
    assert pairing.size == {"model": SIZE, "shadow": 0}
    assert say(pairing, "shadow", (1, 2, None)) == [Pair("hall", "model (1, 2)", "shadow (1, 2)")]


def test_a_camera_that_is_gone_is_forgotten_with_what_waited() -> None:
    pairing = Pairing[str](LIMIT_US)
    say(pairing, "model", (1, 0, None))
    assert pairing.keep({"gate"}) == ["hall"]
    assert set(pairing.size.values()) == {0}
    assert pairing.lapse(10 * LIMIT_US) == []


def test_gaps_that_were_too_many_to_keep_are_not_taken_for_lost_frames() -> None:
    pairing, count = Pairing[str](LIMIT_US), 2 * MOST_GAPS
    told: Counter[str] = Counter()
    for seq in range(0, 2 * count, 2):
        say(pairing, "shadow", (0, seq, None))
        say(pairing, "shadow", (0, seq + 1, "stale"))
    for seq in range(2 * count):
        settled = say(pairing, "model", (0, seq, None))
        told.update(each.reason if isinstance(each, Alone) else "pair" for each in settled)
    assert told == {"pair": count, "stale": MOST_GAPS, "late": MOST_GAPS}
