"""What a role is able to do: measured while work always waits, and only then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.saturation import WINDOW_US, Saturation, smoothed

FULL = 4
STEP_US = 20_000
"""One frame at a time, 50 a second."""


def served(under_way: int, windows: int = 3, took_us: int = STEP_US) -> list[float]:
    """The rates that are told of a role that always has so many under way."""
    saturation, now_us, rates = Saturation(FULL, 0), 0, []
    for _ in range(under_way):
        saturation.began(now_us)
    for _ in range(windows * WINDOW_US // took_us + 1):
        now_us += took_us
        saturation.made()
        if (rate := saturation.ended(now_us)) is not None:
            rates.append(rate)
        saturation.began(now_us)
    return rates


def test_while_work_always_waits_its_rate_is_told_window_by_window() -> None:
    rates = served(FULL)
    assert len(rates) == 3
    assert all(abs(rate - 50) < 0.5 for rate in rates)


def test_a_role_that_could_do_more_is_not_measured_by_what_it_has_to_do() -> None:
    assert served(FULL - 1) == []


def test_what_stands_still_is_no_measure_of_what_it_can_do() -> None:
    assert served(FULL, windows=9, took_us=3 * WINDOW_US) == []


def test_frames_that_end_as_gaps_are_not_what_it_does() -> None:
    saturation = Saturation(FULL, 0)
    for _ in range(FULL + 1):
        saturation.began(0)
    assert saturation.ended(WINDOW_US) is None


def test_a_window_in_which_work_waited_now_and_then_does_not_count() -> None:
    saturation, rates = Saturation(1, 0), []
    for at_us in range(0, 3 * WINDOW_US, STEP_US):
        saturation.began(at_us)
        saturation.made()
        rates.append(saturation.ended(at_us + STEP_US // 2))
    assert set(rates) == {None}


def overloaded(idle_us: int = 0, reading_us: int = 0) -> list[float]:
    """The rates that are told of one that has one frame under way, as most are too old.

    Of each second nothing is under way for ``idle_us``, and its lane reads for ``reading_us``.
    """
    saturation, now_us = Saturation(FULL, 0), 0
    rates: list[float | None] = []
    while len(rates) < 21:
        saturation.reads("frames", now_us)
        saturation.began(now_us)
        saturation.has_read("frames", now_us + reading_us)
        saturation.made()
        rates.append(saturation.ended(now_us + 1_000_000 - idle_us))
        now_us += 1_000_000
    return [each for each in rates if each is not None]


def test_while_there_is_always_more_to_read_its_rate_is_told_though_places_are_free() -> None:
    assert overloaded() == pytest.approx([1, 1], rel=0.02)


def test_what_the_transport_pauses_is_no_part_of_the_rate() -> None:
    assert overloaded(idle_us=150_000) == pytest.approx([1 / 0.85] * 2, rel=0.02)


def test_a_role_that_waits_for_its_transport_is_not_measured() -> None:
    assert overloaded(idle_us=300_000) == []


def test_a_role_that_waits_for_more_to_read_is_not_measured() -> None:
    assert overloaded(reading_us=300_000) == []


def test_one_lane_that_has_more_is_enough() -> None:
    saturation = Saturation(FULL, 0)
    saturation.has_read("frames", 0)
    saturation.reads("frames-archive", 0)
    saturation.began(0)
    for _ in range(20):
        saturation.made()
    assert saturation.ended(WINDOW_US) == 2


@given(st.lists(st.floats(1, 1e6), min_size=1))
def test_the_capacity_lies_between_what_was_measured(rates: list[float]) -> None:
    capacity: float | None = None
    for rate in rates:
        capacity = smoothed(capacity, rate)
    assert capacity is not None
    assert min(rates) * (1 - 1e-9) <= capacity <= max(rates) * (1 + 1e-9)
    assert smoothed(None, rates[0]) == rates[0]
