"""What all kinds of rules have in common: thresholds with two sides, labels, schedules."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.rule_spec import DAYS, ScheduleSpec
from stream.rules import Absence, Dwell, Presence, is_awake
from stream.specs import ZoneSpec
from stream.types import FIRST_US, LAST_US, Alert
from stream.watching import replay
from tests.support.crowd import Shot, shot, somebody, told, watch


def rule(**settings: object) -> Presence:
    return Presence.model_validate(
        {"id": "inside", "zone": "desk", "frames": 1, "resolve": 0} | settings
    )


def scored(*scores: float, names: str = "a") -> list[Shot]:
    return [shot(seq, somebody(score=score), names=names) for seq, score in enumerate(scores)]


HYSTERESIS = rule(score=0.6, stay={"score": 0.3})


def test_it_takes_the_upper_threshold_to_begin() -> None:
    assert watch(HYSTERESIS, scored(0.5, 0.5, 0.5)) == []


def test_who_counted_needs_only_the_lower_one() -> None:
    assert told(watch(HYSTERESIS, scored(0.7, 0.35, 0.4, 0.3))) == [("opened", 0.0)]
    assert told(watch(HYSTERESIS, scored(0.7, 0.2))) == [("opened", 0.0), ("resolved", 0.2)]


def test_an_instance_without_an_identity_has_no_past() -> None:
    assert told(watch(HYSTERESIS, scored(0.7, 0.4, names="."))) == [
        ("opened", 0.0),
        ("resolved", 0.2),
    ]


def test_somebody_else_begins_at_the_upper_threshold() -> None:
    shots = [*scored(0.7), shot(1, somebody(score=0.4), names="b")]
    assert told(watch(HYSTERESIS, shots)) == [("opened", 0.0), ("resolved", 0.2)]


def test_two_seconds_without_counting_are_a_new_beginning() -> None:
    shots = [*scored(0.7), *[shot(seq, somebody(score=0.4), names="b") for seq in range(1, 10)]]
    back = [shot(10, somebody(score=0.4))]
    assert told(watch(HYSTERESIS, shots + back))[-1] == ("resolved", 0.2)


@pytest.mark.parametrize("settings", [{"area": 0.02, "stay": {"area": 0.01}},
                                      {"overlap": 0.9, "stay": {"overlap": 0.4}}])  # fmt: skip
def test_area_and_overlap_have_two_sides_as_well(settings: dict[str, object]) -> None:
    """The picture has 20 000 pixels: 400 and 200 are 0.02 and 0.01; at 155 a half is inside."""
    large, small = somebody(165, width=10), somebody(155, width=10, height=25)
    assert told(watch(rule(**settings), [shot(0, large), shot(1, small)])) == [("opened", 0.0)]
    assert watch(rule(**settings), [shot(0, small), shot(1, small)]) == []


def test_any_of_its_labels_counts() -> None:
    both = rule(labels=["cat", "dog"])
    for label, alerts in (("cat", 1), ("dog", 1), ("cow", 0)):
        assert len(watch(both, [shot(0, somebody(label=label))])) == alerts


def test_dwell_keeps_who_counted_through_a_weak_moment() -> None:
    stays = Dwell.model_validate(
        {"id": "d", "zone": "desk", "duration": "1s", "resolve": 0}
        | {"score": 0.6, "stay": {"score": 0.3}}
    )
    assert told(watch(stays, scored(0.7, 0.35, 0.4, 0.3, 0.5, 0.4))) == [("opened", 1.0)]
    assert watch(stays, scored(0.7, 0.2, 0.4, 0.3, 0.5, 0.4)) == []


# --- schedules


def berlin(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return int(moment.timestamp() * 1e6)


def schedule(**window: object) -> ScheduleSpec:
    return ScheduleSpec.model_validate({"timezone": "Europe/Berlin", "windows": [window]})


NIGHTS = schedule(days=["fri"], hours="22:00-06:00")


@pytest.mark.parametrize(
    ("moment", "awake"),
    [
        ("2026-07-03T21:59:59", False),
        ("2026-07-03T22:00:00", True),
        ("2026-07-04T05:59:59", True),
        ("2026-07-04T06:00:00", False),
        ("2026-07-04T22:30:00", False),
        ("2026-07-03T05:00:00", False),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, awake: bool) -> None:
    assert is_awake(NIGHTS, berlin(moment)) is awake


def test_hours_are_those_on_the_wall_in_summer_and_in_winter() -> None:
    office = schedule(hours="09:00-17:00")
    for day in ("2026-01-15", "2026-07-15"):
        assert is_awake(office, berlin(f"{day}T09:00:00"))
        assert not is_awake(office, berlin(f"{day}T08:59:00"))


def test_the_hour_that_comes_twice_counts_twice() -> None:
    """On 25 October 2026 clocks go back from 3:00 to 2:00 in Berlin, at 1:00 UTC."""
    early = schedule(hours="02:00-03:00")
    one_utc_us = int(datetime.fromisoformat("2026-10-25T01:00:00+00:00").timestamp() * 1e6)
    half_us = 1_800_000_000
    assert [is_awake(early, one_utc_us + shift * half_us) for shift in (-3, -1, 1, 3)] == [
        False,
        True,
        True,
        False,
    ]


def test_without_days_or_hours_a_window_is_always() -> None:
    always = ScheduleSpec.model_validate({"windows": [{}]})
    assert all(is_awake(always, time_us) for time_us in (FIRST_US, 0, LAST_US))


@given(
    st.integers(FIRST_US, LAST_US), st.sampled_from(DAYS), st.sampled_from(["UTC", "Asia/Kolkata"])
)
def test_every_moment_is_in_a_window_or_in_its_complement(
    time_us: int, day: str, timezone: str
) -> None:
    def window(days: list[str], hours: str) -> dict[str, object]:
        return {"days": days, "hours": hours}

    rest = [window([other for other in DAYS if other != day], "00:00-24:00")]
    for own in ([window([day], "00:00-24:00")],
                [window([day], "00:00-07:30"), window([day], "07:30-24:00")]):  # fmt: skip
        said = [
            is_awake(
                ScheduleSpec.model_validate({"timezone": timezone, "windows": windows}), time_us
            )
            for windows in (own, rest)
        ]
        assert sorted(said) == [False, True]


# --- what a rule watches

DESK = ZoneSpec(id="desk", camera="yard", polygon=((0.8, 0), (1, 0), (1, 1), (0.8, 1)))
PLANT = ZoneSpec(id="plant", camera="yard", polygon=((0.8, 0), (0.9, 0), (0.9, 1), (0.8, 1)))


def replayed(shots: list[Shot], *rules: Presence) -> list[Alert]:
    return replay(rules, [DESK, PLANT], [result for result, _ in shots])


def test_what_lies_in_an_ignored_zone_does_not_count() -> None:
    behind, beside = [shot(0, somebody(165))], [shot(0, somebody(185))]
    assert len(replayed(behind, rule())) == 1
    assert replayed(behind, rule(ignore=["plant"])) == []
    assert len(replayed(beside, rule(ignore=["plant"]))) == 1


def test_a_zone_may_be_ignored_in_the_whole_picture() -> None:
    anywhere = rule(zone=None, camera="yard", ignore=["desk", "plant"])
    assert replayed([shot(0, somebody(165))], anywhere) == []
    assert len(replayed([shot(0, somebody(10))], anywhere)) == 1


def test_outside_its_schedule_a_rule_sees_nothing_and_leaves_no_alert_open() -> None:
    """The pictures begin with 1970, at midnight in UTC: the window ends after a minute."""
    early = rule(schedule={"windows": [{"hours": "00:00-00:01"}]})
    alerts = replayed([shot(seq, somebody(), time_s=seq * 10) for seq in range(13)], early)
    assert told(alerts) == [("opened", 0.0), ("resolved", 60.0)]
    assert alerts[1].detail == "its schedule ended"


def test_a_rule_begins_anew_when_its_schedule_does() -> None:
    late = rule(frames=3, schedule={"windows": [{"hours": "00:01-00:02"}]})
    alerts = replayed([shot(seq, somebody(), time_s=50 + seq * 2) for seq in range(10)], late)
    assert told(alerts) == [("opened", 64.0)]


def test_of_a_zone_without_a_pixel_nothing_is_known() -> None:
    """Too thin for the picture, or cut away by others: nobody can be missing there."""
    thin = ZoneSpec(id="thin", camera="yard", polygon=((0.5, 0), (0.5001, 0), (0.5, 1)))
    halves = [
        ZoneSpec(id=name, camera="yard", polygon=((x, 0), (x + 0.1, 0), (x + 0.1, 1), (x, 1)))
        for name, x in (("left", 0.8), ("right", 0.9))
    ]
    rules = [
        Absence.model_validate({"id": "thin-one", "zone": "thin", "for": "1s"}),
        Absence.model_validate(
            {"id": "cut", "zone": "desk", "ignore": ["left", "right"], "for": "1s"}
        ),
    ]
    empty = [shot(seq)[0] for seq in range(20)]
    assert replay(rules, [DESK, thin, *halves], empty) == []
