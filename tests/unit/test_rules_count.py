"""``kind: count`` and ``kind: absence``, result by result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.rules import Absence, Occupancy
from tests.support.crowd import crowd, shot, somebody, told, watch


def count(**settings: object) -> Occupancy:
    return Occupancy.model_validate(
        {"id": "queue", "zone": "desk", "for": "1s", "resolve": "1s"} | settings
    )


def absence(**settings: object) -> Absence:
    return Absence.model_validate(
        {"id": "unmanned", "zone": "desk", "for": "2s", "resolve": "1s"} | settings
    )


def test_it_opens_once_there_were_so_many_for_long_enough() -> None:
    assert told(watch(count(at_least=3), crowd("2" * 5 + "3" * 10))) == [("opened", 2.0)]


def test_more_than_the_limit_are_as_good_and_fewer_are_not() -> None:
    assert told(watch(count(at_least=3), crowd("343434"))) == [("opened", 1.0)]
    assert watch(count(at_least=3), crowd("2" * 50)) == []


def test_at_most_is_the_other_way_round() -> None:
    assert told(watch(count(at_most=1), crowd("2" * 5 + "1010101010"))) == [("opened", 2.0)]


def test_at_most_none_needs_nobody_to_be_seen() -> None:
    (alert,) = watch(count(at_most=0), crowd("0" * 6))
    assert (alert.tracks, alert.labels) == ((), ())
    assert alert.evidence is not None
    assert (alert.evidence.value, alert.evidence.mask) == (0.0, None)


def test_a_lapse_shorter_than_resolve_neither_stops_the_clock_nor_resolves() -> None:
    flickering = "3" * 3 + "2" * 4 + "3" * 20 + "2" * 4 + "3" * 5
    assert told(watch(count(at_least=3, **{"for": "3s"}), crowd(flickering))) == [("opened", 3.0)]


def test_a_longer_lapse_resolves_and_sets_the_clock_back() -> None:
    assert told(watch(count(at_least=3), crowd("3" * 6 + "2" * 6 + "3" * 6))) == [
        ("opened", 1.0),
        ("resolved", 2.0),
        ("opened", 3.4),
    ]


def test_it_tells_how_many_and_who() -> None:
    (alert,) = watch(count(at_least=2, **{"for": 0}), crowd("3"))
    assert alert.evidence is not None
    assert (alert.evidence.value, alert.detail) == (3.0, "3 counted; at least 2")
    assert alert.tracks == ("a", "b", "c")
    assert alert.evidence.mask == somebody().mask


def test_who_joins_is_told_at_most_every_10_seconds() -> None:
    alerts = watch(count(at_least=2, **{"for": 0}), crowd("2" * 5 + "3" * 5 + "4" * 55))
    assert [(alert.state, alert.time_us / 1e6, "".join(alert.tracks)) for alert in alerts] == [
        ("opened", 0.0, "ab"),
        ("updated", 10.0, "abcd"),
    ]


def test_time_that_nobody_watched_counts_as_none() -> None:
    shots = [shot(seq, somebody(), somebody(180)) for seq in (0, 50)]
    assert watch(count(at_least=2), shots) == []


def test_absence_opens_once_nobody_was_there_for_long_enough() -> None:
    alerts = watch(absence(), crowd("1" * 5 + "0" * 15))
    assert told(alerts) == [("opened", 3.0)]
    assert alerts[0].detail == "nothing for 2s"
    assert alerts[0].evidence is not None
    assert (alerts[0].evidence.seq, alerts[0].evidence.box) == (15, None)


@pytest.mark.parametrize(
    ("labels", "detail"),
    [
        (None, "nothing for 2s"),
        (["person"], "nobody for 2s"),
        (["car"], "no car for 2s"),
        (["person", "car"], "no person or car for 2s"),
        (["car", "bus", "truck"], "no car, bus or truck for 2s"),
        (["car", "car"], "no car for 2s"),
        (list("abcde"), "no a, b, c, d or e for 2s"),
        (list("abcdef"), "none of 6 labels for 2s"),
    ],
)
def test_absence_says_who_is_not_there(labels: list[str] | None, detail: str) -> None:
    (alert,) = watch(absence(labels=labels), crowd("0" * 15))
    assert alert.detail == detail


def test_absence_resolves_when_somebody_is_back_for_the_resolve_delay() -> None:
    assert told(watch(absence(), crowd("0" * 11 + "1" * 3 + "0" * 3 + "1" * 10))) == [
        ("opened", 2.0),
        ("resolved", 4.2),
    ]


def test_a_camera_that_shows_nothing_is_no_absence() -> None:
    """Gaps are unknown: promise 7."""
    assert watch(absence(), crowd("1" + "-" * 100 + "0")) == []


@given(st.text("0123-", max_size=60), st.sampled_from([0, 0.5, 2]))
def test_state_kept_as_bytes_has_the_same_future(pattern: str, lasting_s: float) -> None:
    for rule in (
        count(at_least=2, **{"for": lasting_s}),
        count(at_most=1, **{"for": lasting_s}),
        absence(**{"for": lasting_s + 0.2}),
    ):
        assert watch(rule, crowd(pattern), kept=True) == watch(rule, crowd(pattern))


@given(st.text("0123-", max_size=80))
def test_an_alert_lives_once_and_in_order(pattern: str) -> None:
    alerts = watch(count(at_least=2, **{"for": 0.4}), crowd(pattern))
    for id_ in {alert.id for alert in alerts}:
        life = [alert.state for alert in alerts if alert.id == id_]
        assert life[0] == "opened"
        assert life.count("opened") == 1
        assert life.count("resolved") <= 1
        assert "resolved" not in life[:-1]


@pytest.mark.parametrize("wrong", [{}, {"at_least": 1, "at_most": 1}, {"at_least": 0}])
def test_a_count_has_one_limit_that_can_be_missed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at_least"):
        count(**wrong)
