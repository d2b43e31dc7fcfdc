"""``kind: dwell``, result by result: five pictures a second, two seconds in the zone."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from pydantic import TypeAdapter, ValidationError

from stream.masks import Mask
from stream.rules import Dwell, DwellState, EpisodeState, Rule, RuleState, evaluate
from stream.rules.dwell import OPEN_MAX, evaluate_dwell
from stream.tracking import UNSEEN_MAX
from stream.types import Alert, Instance, ModelRef, Result, Track
from tests.support.states import again

SIZE = (100, 200)
ZONE = Mask.from_polygon(SIZE, np.array([(160, 0), (200, 0), (200, 100), (160, 100)]))
MODEL = ModelRef("yard", "0" * 64, "f32")
FPS = 5


def somebody(x: int = 170) -> Instance:
    mask = Mask.from_bitmap(SIZE, np.ones((40, 20), bool), x, 30)
    return Instance("person", 0.9, (x, 30, x + 20, 70), mask)


def at(seq: int, names: str, time_s: float | None = None) -> tuple[Result, tuple[Track, ...]]:
    """A result, and its tracks: ``a`` stands in the zone, ``A`` is the same person outside, and
    ``b`` stands beside them.
    """
    time_us = round((seq / FPS if time_s is None else time_s) * 1e6)
    instances = tuple(
        somebody((170 if name.islower() else 20) + (10 if name in "bB" else 0)) for name in names
    )
    tracks = tuple(
        Track(name.lower(), "person", 0.9, one.box, (0, 0), (), index)
        for index, (name, one) in enumerate(zip(names, instances, strict=True))
    )
    return Result("yard", 1, seq, time_us, time_us, SIZE, MODEL, instances), tracks


def watch(rule: Dwell, shots: Iterable[tuple[Result, tuple[Track, ...]]]) -> list[Alert]:
    state: RuleState | None = None
    alerts: list[Alert] = []
    for result, tracks in shots:
        state, new = evaluate(rule, ZONE, state, result, tracks)
        alerts += new
    return alerts


def seen(pattern: str) -> list[tuple[Result, tuple[Track, ...]]]:
    """A result for each sign: ``a`` or ``b`` alone, ``2`` both, ``.`` nobody, ``-`` a gap."""
    names = {"2": "ab", ".": ""}
    return [at(seq, names.get(sign, sign)) for seq, sign in enumerate(pattern) if sign != "-"]


def told(alerts: Iterable[Alert]) -> list[tuple[str, str, float]]:
    return [(alert.state, "".join(alert.tracks), alert.time_us / 1e6) for alert in alerts]


def rule(**settings: object) -> Dwell:
    return Dwell.model_validate(
        {"id": "loiters", "zone": "exit", "duration": "2s", "resolve": "1s"} | settings
    )


def test_it_opens_when_somebody_stayed_for_the_duration() -> None:
    assert told(watch(rule(), seen("a" * 20))) == [("opened", "a", 2.0)]


def test_each_identity_has_its_own_time_and_its_own_alert() -> None:
    alerts = watch(rule(), seen("aaaaa" + "2" * 20))
    assert told(alerts) == [("opened", "a", 2.0), ("opened", "b", 3.0)]
    assert alerts[0].id != alerts[1].id


def test_two_who_come_together_have_two_alerts() -> None:
    alerts = watch(rule(), seen("2" * 11))
    assert told(alerts) == [("opened", "a", 2.0), ("opened", "b", 2.0)]
    assert alerts[0].id != alerts[1].id


def test_one_after_the_other_do_not_add_up() -> None:
    assert watch(rule(), seen("aaaaaaaabbbbbbbb")) == []


def test_somebody_who_stands_elsewhere_does_not_dwell() -> None:
    assert watch(rule(), seen("A" * 20)) == []


def test_it_resolves_when_they_left_for_long_enough() -> None:
    alerts = watch(rule(), seen("a" * 11 + "A" * 10))
    assert told(alerts) == [("opened", "a", 2.0), ("resolved", "a", 3.0)]
    assert alerts[0].id == alerts[1].id


def test_an_absence_shorter_than_that_is_none() -> None:
    assert told(watch(rule(), seen("aaaa....aaa"))) == [("opened", "a", 2.0)]


def test_who_left_and_comes_back_begins_anew() -> None:
    assert watch(rule(), seen("aaaaaaa......aaaaaaa")) == []


def test_somebody_without_an_identity_yet_is_not_timed() -> None:
    shots = [(result, ()) for result, _ in seen("a" * 20)]
    assert watch(rule(), shots) == []


def test_short_gaps_count_as_time_in_the_zone() -> None:
    """A busy system segments one frame of three; who stays two seconds is told after two."""
    assert told(watch(rule(), seen("a--a--a--a--a--a"))) == [("opened", "a", 2.4)]


def test_a_long_silence_neither_brings_an_alert_nearer_nor_ends_one() -> None:
    silence = "-" * 50
    assert told(watch(rule(), seen("aaaaaa" + silence + "aaaaaa"))) == [("opened", "a", 12.2)]
    assert told(watch(rule(), seen("a" * 12 + silence + "...."))) == [("opened", "a", 2.0)]


def test_a_slow_camera_without_gaps_is_known_all_the_time() -> None:
    shots = [at(seq, "a", time_s=5.0 * seq) for seq in range(5)]
    assert told(watch(rule(duration="10s"), shots)) == [("opened", "a", 10.0)]


def test_time_that_goes_backwards_is_unknown() -> None:
    shots = [at(50 + seq, "a") for seq in range(6)] + [at(seq, "a") for seq in range(6)]
    assert told(watch(rule(), shots)) == [("opened", "a", 1.0)]


def test_no_new_alert_within_the_cooldown_after_any_ended() -> None:
    alerts = watch(rule(cooldown="3s"), seen("a" * 11 + "b" * 40))
    assert told(alerts) == [("opened", "a", 2.0), ("resolved", "a", 3.0), ("opened", "b", 6.0)]


patterns = st.text("aabA2.-", max_size=60)


@given(patterns)
def test_an_identity_has_one_open_alert_at_most(pattern: str) -> None:
    opened: set[str] = set()
    for state, who, _ in told(watch(rule(duration="1s"), seen(pattern))):
        assert (who in opened) == (state == "resolved")
        opened ^= {who}


@given(patterns)
def test_state_kept_as_bytes_has_the_same_future(pattern: str) -> None:
    state: RuleState | None = None
    alerts: list[Alert] = []
    for result, tracks in seen(pattern):
        state, new = evaluate(rule(duration="1s"), ZONE, state, result, tracks)
        state = again(state)
        alerts += new
    assert alerts == watch(rule(duration="1s"), seen(pattern))


def test_the_words_of_the_settings() -> None:
    written = {"id": "loiters", "kind": "dwell", "zone": "exit", "duration": "1m"}
    read = TypeAdapter(Rule).validate_python(written)
    assert isinstance(read, Dwell)
    assert read.duration == 60.0


@pytest.mark.parametrize("wrong", [{"duration": 0}, {"duration": "soon"}, {"frames": 3}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rule(**wrong)


def test_state_of_another_kind_of_rule_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="loiters is dwell"):
        evaluate(rule(), ZONE, EpisodeState(), *at(0, "a"))


def test_a_long_resolve_keeps_no_more_of_a_crowd_than_tracking_does() -> None:
    """Everybody comes for one picture; one stays in sight, outside."""
    patient, state = rule(resolve="1h"), DwellState()
    for seq in range(2 * UNSEEN_MAX):
        result, tracks = at(seq, "aB" if seq else "ab")
        passing = (structs.replace(tracks[0], id=f"p{seq}"), tracks[1])
        state, _ = evaluate_dwell(patient, ZONE, state, result, passing)
    latest = [f"p{seq}" for seq in range(UNSEEN_MAX - 1, 2 * UNSEEN_MAX)]
    assert state.stays.keys() == {"b", *latest}


def test_of_a_crowd_that_stays_a_hundred_are_told_and_the_next_when_one_has_left() -> None:
    names = [f"p{number}" for number in range(101)]

    def crowd(seq: int, here: list[str]) -> tuple[Result, tuple[Track, ...]]:
        some = [
            Instance(
                "person", 0.9, (0, 0, 1, 1), Mask.from_bitmap(SIZE, np.ones((1, 1), bool), x, y)
            )
            for x, y in ((160 + names.index(name) % 40, names.index(name) // 40) for name in here)
        ]
        result, _ = at(seq, "")
        tracks = tuple(
            Track(name, "person", 0.9, one.box, (0, 0), (), index)
            for index, (name, one) in enumerate(zip(here, some, strict=True))
        )
        return structs.replace(result, instances=tuple(some)), tracks

    alerts = watch(rule(), [crowd(seq, names if seq < 12 else names[1:]) for seq in range(20)])
    assert [alert.state for alert in alerts[:100]] == ["opened"] * OPEN_MAX
    assert told(alerts[100:]) == [("resolved", "p0", 3.2), ("opened", "p100", 3.2)]
