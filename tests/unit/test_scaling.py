"""Scaling, replayed: what it promises of a day, and that its parts are what they say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import ConfigError
from stream.scaling.autoscaler import SYNC_S, TOLERANCE, Autoscaler
from stream.scaling.day import Day, flat, harsh, of_rates, office, parse
from stream.scaling.pods import Site, shared
from stream.scaling.policy import DAY_S, DEFAULT, Direction, Forecast, Schedule, Step
from stream.scaling.queues import Queues
from stream.scaling.replay import Outcome, replay
from stream.scaling.signal import Offered

SITE = Site()
PAGE = (Path(__file__).parents[2] / "docs" / "capacity.md").read_text()
POLICY = replace(DEFAULT, most=24)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """The documented days of docs/capacity.md, with the chart's policy."""
    return {draw.__name__: replay(draw(100, 10.0), POLICY, SITE) for draw in (office, harsh, flat)}


@pytest.mark.parametrize("day", ["office", "harsh"])
def test_a_day_that_rises_and_falls_saves_two_fifths_and_skips_hardly_anything(
    outcomes: dict[str, Outcome], day: str
) -> None:
    assert outcomes[day].saving >= 0.4
    assert outcomes[day].skipped_share <= 0.01


@pytest.mark.parametrize("day", ["office", "harsh", "flat"])
def test_the_page_has_what_the_days_come_to(outcomes: dict[str, Outcome], day: str) -> None:
    found = outcomes[day]
    table = PAGE.partition(f"| {day}:")[2].splitlines()[2]
    cells = [cell.strip() for cell in table.strip("|").split("|")]
    assert cells == [
        "as it is",
        f"{found.skipped_share:.2%}",
        f"{found.worst_minute:.0%}",
        f"{found.age_s(0.99):.2f} s",
        f"{found.pod_hours:.0f}",
        f"{found.saving:.1%}",
        str(found.steps),
    ]


def test_a_flat_day_saves_nothing_and_skips_nothing(outcomes: dict[str, Outcome]) -> None:
    assert (outcomes["flat"].saving, outcomes["flat"].skipped) == (0.0, 0.0)


def test_every_frame_of_a_day_is_answered_skipped_or_waits(outcomes: dict[str, Outcome]) -> None:
    for each in outcomes.values():
        ended = each.answered + each.skipped + each.queued
        assert ended == pytest.approx(each.offered, abs=0.1)
        assert each.ages.sum() == pytest.approx(each.answered)
        assert each.skipped_by_minute.sum() == pytest.approx(each.skipped)


def test_a_day_stays_within_its_bounds(outcomes: dict[str, Outcome]) -> None:
    for each in outcomes.values():
        assert POLICY.least <= each.asked.min() <= each.asked.max() <= POLICY.most
        assert (each.ready <= each.asked).all()
        assert each.age_s(1.0) <= SITE.max_age_s
        assert each.oldest_by_minute_s.max() <= SITE.max_age_s + 1e-9


def test_one_pod_that_is_offered_three_times_what_it_can_do_skips_two_thirds() -> None:
    day = Day("overload", np.full(DAY_S, 18), SITE.capacity_per_s / 6)
    found = replay(day, replace(POLICY, least=1, most=1), SITE)
    assert found.skipped_share == pytest.approx(2 / 3, abs=0.001)
    assert found.age_s(0.5) == found.age_s(0.99) == SITE.max_age_s


steps = st.builds(
    Step, st.sampled_from(["Pods", "Percent"]), st.integers(1, 100), st.sampled_from([15, 60, 120])
)
directions = st.builds(
    Direction, st.sampled_from([0, 30, 300]), st.lists(steps, min_size=1, max_size=2).map(tuple)
)


@given(
    directions, directions, st.lists(st.floats(0, 60), min_size=1, max_size=60), st.integers(1, 9)
)
def test_replicas_stay_within_bounds_whatever_is_asked(
    up: Direction, down: Direction, asked: list[float], begin: int
) -> None:
    scaler, current = Autoscaler(replace(DEFAULT, least=2, most=40, up=up, down=down)), begin
    for turn, each in enumerate(asked):
        current = scaler.decide(turn * SYNC_S, current, [each])
        assert 2 <= current <= 40


@given(directions, st.lists(st.integers(0, 60), max_size=30), st.integers(1, 40))
def test_no_fewer_than_are_asked_for_once_it_is_asked_for_long_enough(
    down: Direction, before: list[int], asked: int
) -> None:
    scaler, current = Autoscaler(replace(DEFAULT, most=40, down=down)), 1
    for turn in range(len(before) + 40):
        current = scaler.decide(turn * SYNC_S, current, [[*before, *[asked] * 40][turn]])
    assert current * (1 + TOLERANCE) >= asked


def test_one_pod_goes_in_two_minutes_and_none_before_five() -> None:
    scaler, current = Autoscaler(POLICY), scaled([(0, [10.0])], 10)
    went = []
    for now_s in range(SYNC_S, 900, SYNC_S):
        before, current = current, scaler.decide(now_s, current, [10.0 if now_s < 60 else 2.0])
        went += [now_s] * (before - current)
    assert went[0] >= 300
    assert min(np.diff(went)) >= 120


def scaled(turns: list[tuple[int, list[float]]], current: int) -> int:
    scaler = Autoscaler(POLICY)
    for now_s, metrics in turns:
        current = scaler.decide(now_s, current, metrics)
    return current


def test_up_it_doubles_or_adds_four_at_a_time_and_the_highest_trigger_counts() -> None:
    assert scaled([(0, [24.0])], 1) == 5
    assert scaled([(0, [24.0, 1.0])], 8) == 16
    assert scaled([(0, [1.0, 3.5])], 3) == 4


def test_a_tenth_more_or_less_changes_nothing() -> None:
    assert scaled([(0, [11.0])], 10) == 10
    assert scaled([(0, [11.1])], 10) == 12


@given(
    st.lists(st.floats(0, 200), min_size=1, max_size=5),
    st.lists(st.floats(-1, 2), min_size=1, max_size=8),
)
def test_no_frame_vanishes_from_a_queue(rates: list[float], pauses: list[float]) -> None:
    queues, loads = Queues(SITE, np.zeros(len(rates))), np.array(rates)
    for paused_s in pauses:
        queues.second(loads, paused_s)
    offered = len(pauses) * sum(rates)
    assert queues.answered + queues.skipped + queues.count == pytest.approx(offered, abs=1e-6)
    assert queues.ages.sum() == pytest.approx(queues.answered)


def test_partitions_go_round_and_who_gets_none_has_none() -> None:
    assert shared(np.arange(5.0), 2).tolist() == [0 + 2 + 4, 1 + 3]
    assert shared(np.ones(3), 8).tolist() == [1, 1, 1]


def test_a_rate_is_that_of_the_scrapes_in_its_window() -> None:
    offered = np.repeat([100.0, 300.0], [600, 600])
    signal = Offered(offered, scrape_s=10, window_s=30)
    assert signal.rate(0) == signal.rate(600) == 100
    assert 100 < signal.rate(615) < 300
    assert signal.rate(640) == 300


def test_a_forecast_goes_on_as_it_went() -> None:
    signal = Offered(np.arange(3600.0), scrape_s=10, window_s=30)
    ahead = signal.forecast(3000, Forecast(900, 300)) - signal.rate(3000)
    assert ahead == pytest.approx(300, abs=10)


def test_a_window_without_two_scrapes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"given 30 s; must hold two scrapes, 60 s"):
        Offered(np.ones(60), scrape_s=30, window_s=30)


def test_a_schedule_asks_within_its_hours_each_day() -> None:
    policy = replace(DEFAULT, schedules=(Schedule(60, 120, 4),))
    assert [policy.by_schedule(each) for each in (0, 60, 119, 120, DAY_S + 60)] == [0, 4, 4, 0, 4]


def test_a_day_of_more_cameras_than_tables_can_hold_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"monday: given 1e\+30 frames/s.* allowed: 100000 cam"):
        of_rates("monday", [(0, 1e30)], 10.0)


def test_a_schedule_may_last_over_midnight() -> None:
    policy = replace(DEFAULT, schedules=(Schedule(DAY_S - 60, 60, 4),))
    seconds = (0, 59, 60, DAY_S - 61, DAY_S - 60, DAY_S)
    assert [policy.by_schedule(each) for each in seconds] == [4, 4, 0, 0, 4, 4]


def test_a_day_of_ones_own_is_read() -> None:
    day = of_rates("mine", parse("time,frames_per_s\n06:00,100\n12:00,200\n", "day.csv"), 10.0)
    assert day.offered[[0, 9 * 3600, DAY_S - 1]].tolist() == [100, 150, 200]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "day.csv:1: given ''; must be time,frames_per_s, and rows as 07:30,120"),
        ("time,frames_per_s\n", "day.csv: given no frames at all"),
        ("time,frames_per_s\n25:00,1\n", "day.csv:2: given '25:00,1'"),
        ("time,frames_per_s\n07:00,-1\n", "day.csv:2: given '07:00,-1'"),
        ("time,frames_per_s\n07:00\n", "day.csv:2: given '07:00'"),
        ("time,frames_per_s\n07:00,1\n06:00,1\n", "day.csv: time: must rise"),
    ],
)
def test_a_day_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, "day.csv")
    assert str(refused.value).startswith(said)
