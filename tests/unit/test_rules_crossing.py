"""``kind: crossing``, result by result: five pictures a second, an upright line at column 100.

The picture is 200 × 100. People are 10 × 40 px, so clear of the line is 4 px from it.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.masks import Mask
from stream.rules import Crossing, CrossingState, evaluate
from stream.types import Instance, MaskMessage, Result, Track
from stream.watching import replay
from tests.support.build import gap
from tests.support.crowd import FPS, MODEL, SIZE, ZONE, Shot, shot, somebody, told, watch
from tests.support.states import again, to_bytes

UP = [[0.5, 1.0], [0.5, 0.0]]
"""From below to above: left of it is the left of the picture."""
L, R = 80, 110
"""Where somebody stands on the left, and on the right: 15 px and more from the line."""


def rule(**settings: object) -> Crossing:
    return Crossing.model_validate(
        {"id": "gate", "camera": "yard", "line": UP, "resolve": "1s"} | settings
    )


def walk(*columns: int | None, names: str = "a") -> list[Shot]:
    """One who stands at each column in turn; None is a result without anybody."""
    return [
        shot(seq, *([] if x is None else [somebody(x)]), names=names)
        for seq, x in enumerate(columns)
    ]


def crossings(watched: Crossing, shots: Iterable[Shot]) -> list[tuple[str, float]]:
    """What was told when somebody crossed: which way, and when."""
    alerts = watch(watched, shots, None)
    return [(one.detail, one.time_us / 1e6) for one in alerts if one.state == "opened"]


def test_it_opens_when_somebody_crosses_and_resolves_when_nobody_does() -> None:
    assert told(watch(rule(), walk(L, L, R, *[R] * 6), None)) == [
        ("opened", 0.4),
        ("resolved", 1.4),
    ]


def test_it_tells_who_crossed_which_way_and_shows_them() -> None:
    alert = watch(rule(severity="critical"), walk(L, R), None)[0]
    assert (alert.rule, alert.kind, alert.camera, alert.zone) == ("gate", "crossing", "yard", None)
    assert (alert.tracks, alert.labels, alert.detail) == (("a",), ("person",), "left-to-right")
    assert alert.evidence is not None
    assert (alert.evidence.mask, alert.evidence.frame_ref) == (somebody(R).mask, "f@1")
    assert (alert.evidence.score, alert.evidence.value) == (0.9, None)


@pytest.mark.parametrize(
    ("direction", "there", "back"),
    [("any", True, True), ("left-to-right", True, False), ("right-to-left", False, True)],
)
def test_only_its_direction_counts(direction: str, there: bool, back: bool) -> None:
    assert bool(crossings(rule(direction=direction), walk(L, R))) is there
    assert bool(crossings(rule(direction=direction), walk(R, L))) is back


def test_the_ends_of_the_line_the_other_way_round_turn_the_direction() -> None:
    assert crossings(rule(line=UP[::-1]), walk(L, R)) == [("right-to-left", 0.2)]


def test_who_stands_on_the_line_opens_it_once_they_are_clear_of_it() -> None:
    """The middle of a foot at column 95 to 98 is less than 4 px from the line, at 100 more."""
    assert crossings(rule(), walk(L, 93, 95, 94, 97, 96, 98, 100)) == [("left-to-right", 1.4)]


def test_who_sways_on_the_line_opens_nothing() -> None:
    assert crossings(rule(), walk(L, *[92, 98] * 20)) == []


def test_who_is_first_seen_beyond_the_line_opens_nothing() -> None:
    assert crossings(rule(), walk(R, R, 150)) == []


def test_who_was_hidden_on_the_way_crosses() -> None:
    assert crossings(rule(), walk(L, *[None] * 14, R)) == [("left-to-right", 3.0)]


def test_what_was_not_seen_in_gaps_and_over_a_new_epoch_was_crossed_all_the_same() -> None:
    """Tracking says that it is the same person; nobody saw them pass."""
    results = [shot(0, somebody(L)), shot(90, somebody(R))]
    assert crossings(rule(), results) == [("left-to-right", 18.0)]


def test_somebody_else_beyond_the_line_has_not_crossed() -> None:
    assert crossings(rule(), [*walk(L), shot(1, somebody(R), names="b")]) == []


def test_somebody_without_an_identity_opens_nothing() -> None:
    assert crossings(rule(), walk(L, R, names=".")) == []


def test_who_does_not_count_for_a_while_but_is_seen_is_remembered() -> None:
    """In the zone, then for ten seconds outside, then in the zone beyond the line."""
    inside, outside = somebody(170), somebody(20)
    across = rule(line=[[0.9, 1], [0.9, 0]], zone="exit")
    shots = [shot(0, inside), *(shot(n, outside) for n in range(1, 50)), shot(50, somebody(185))]
    assert [told(watch(across, shots, ZONE))[0]] == [("opened", 10.0)]


def test_whom_tracking_has_forgotten_is_forgotten() -> None:
    state: CrossingState | None = None
    for result, tracks in walk(L, *[None] * 16):
        after, _ = evaluate(rule(), None, state, result, tracks)
        assert isinstance(after, CrossingState)
        state = after
    assert state is not None
    assert state.passers == {}


def test_a_crowd_that_flickers_does_not_fill_the_state() -> None:
    state: CrossingState | None = None
    for seq in range(8):
        some = [somebody(n % 50, width=1, height=1 + n // 50) for n in range(100)]
        result, _ = shot(seq, *some)
        tracks = tuple(
            Track(f"yard/1/{seq}/{n}", "person", 0.9, one.box, one.mask.contact, (), n)
            for n, one in enumerate(some)
        )
        after, _ = evaluate(rule(), None, state, result, tracks)
        assert isinstance(after, CrossingState)
        state = after
    assert state is not None
    assert len(state.passers) == 100 + 300
    assert len(to_bytes(state)) < 60_000


def test_who_crosses_while_it_is_open_joins() -> None:
    """Told at most every 10 s, and at the end at the latest."""
    places = [(L, L - 10), (R, L - 10), *[(R, R + 10)] * 8]
    shots = [shot(seq, *map(somebody, where)) for seq, where in enumerate(places)]
    alerts = watch(rule(), shots, None)
    assert [(alert.state, alert.tracks) for alert in alerts] == [
        ("opened", ("a",)),
        ("resolved", ("a", "b")),
    ]


def test_two_who_cross_at_once_are_one_alert() -> None:
    shots = [shot(0, somebody(L), somebody(R)), shot(1, somebody(R), somebody(L))]
    (alert,) = watch(rule(), shots, None)
    assert (alert.tracks, alert.detail) == (("a", "b"), "left-to-right, right-to-left")


def test_no_new_alert_within_the_cooldown() -> None:
    shots = walk(L, R, *[R] * 6, L, *[L] * 20, R)
    assert [when for _, when in crossings(rule(), shots)] == [0.2, 1.6, 5.8]
    assert [when for _, when in crossings(rule(cooldown="2s"), shots)] == [0.2, 5.8]


def test_labels_and_scores_say_who_counts() -> None:
    dog = [shot(seq, somebody(x, "dog", 0.6)) for seq, x in enumerate((L, R))]
    assert crossings(rule(labels=["person"]), dog) == []
    assert crossings(rule(score=0.7), dog) == []
    assert crossings(rule(labels=["dog"], score=0.5), dog) != []


def leaning(foot: int, body: int) -> Instance:
    """One foot and a much larger body beside it."""
    bitmap = np.zeros(SIZE, bool)
    bitmap[68:70, foot : foot + 4] = True
    bitmap[30:68, body : body + 10] = True
    mask = Mask.from_bitmap(SIZE, bitmap, 0, 0)
    x1, y1, x2, y2 = map(float, mask.box)
    return Instance("person", 0.9, (x1, y1, x2, y2), mask)


def test_the_foot_crosses_or_the_middle_of_the_body() -> None:
    leans = [shot(0, leaning(80, 80)), shot(1, leaning(88, 105))]
    assert crossings(rule(point="contact"), leans) == []
    assert crossings(rule(point="centre"), leans) == [("left-to-right", 0.2)]


columns = st.lists(st.integers(0, 190) | st.none(), max_size=40)


@given(columns, columns)
def test_state_kept_as_bytes_has_the_same_future(
    one: Sequence[int | None], other: Sequence[int | None]
) -> None:
    pairs = list(zip(one, other, strict=False))
    shots = [
        shot(
            seq,
            *[somebody(x) for x in pair if x is not None],
            names="".join(n for n, x in zip("ab", pair, strict=True) if x is not None),
        )
        for seq, pair in enumerate(pairs)
    ]
    assert watch(rule(), shots, None, kept=True) == watch(rule(), shots, None)


@given(st.lists(st.integers(0, 190), max_size=40))
def test_a_walk_backwards_crosses_the_other_way(given: list[int]) -> None:
    """A rest at each place, so that each crossing is an alert, and ends on either side."""
    places = [x for x in (L, *given, R) for _ in range(2)]
    there, back = (crossings(rule(resolve=0), walk(*steps)) for steps in (places, places[::-1]))
    turned = {"left-to-right": "right-to-left", "right-to-left": "left-to-right"}
    assert [way for way, _ in there] == [turned[way] for way, _ in back[::-1]]


def seen(seq: int, x: int, epoch: int = 1, **later: int) -> Result:
    time_us = round(seq / FPS * 1e6) + later.get("us", 0)
    return Result("yard", epoch, seq, time_us, time_us, SIZE, MODEL, (somebody(x),))


def test_with_real_tracking_a_walker_crosses_once_each_way() -> None:
    there, back = range(40, 150, 5), range(150, 40, -5)
    messages: list[MaskMessage] = [seen(seq, x) for seq, x in enumerate([*there, *back])]
    messages[9] = gap(9, 9, camera="yard")
    alerts = replay([rule()], [], messages)
    ways = [alert.detail for alert in alerts if alert.state == "opened"]
    assert ways == ["left-to-right", "right-to-left"]
    assert len({name for alert in alerts for name in alert.tracks}) == 1


def test_the_state_is_told_apart_from_others() -> None:
    state, _ = evaluate(rule(), None, None, *walk(L)[0])
    assert again(state) == state
    with pytest.raises(TypeError, match="rule gate is crossing"):
        evaluate(rule(), None, state.episode, *walk(L)[0])  # type: ignore[union-attr]
