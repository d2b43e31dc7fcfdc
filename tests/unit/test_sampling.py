"""Which frames of a camera are offered."""

from fractions import Fraction
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.sampling import Sampler, frames_kept


def kept(fps: float | None, times_s: list[float]) -> list[int]:
    """Which of the frames, by index, are offered."""
    sampler = Sampler(fps)
    return [index for index, time_s in enumerate(times_s) if sampler.keeps(time_s)]


def rounded(fps: Fraction, count: int, ticks: int) -> list[float]:
    """Times of a steady source, rounded to a time base of 1/ticks s as containers do."""
    return [round(index / fps * ticks) / ticks for index in range(count)]


def test_without_a_rate_every_frame_is_offered() -> None:
    assert kept(None, [0.0, 0.0, 0.01, 5.0, 2.0]) == [0, 1, 2, 3, 4]


def test_a_third_of_the_rate_is_every_third_frame() -> None:
    assert kept(10, [index / 30 for index in range(12)]) == [0, 3, 6, 9]


def test_a_rate_that_does_not_divide_keeps_what_comes_nearest() -> None:
    assert kept(10, [index / 25 for index in range(25)]) == [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]


def test_a_slower_source_keeps_all_of_its_frames() -> None:
    assert kept(30, [index / 10 for index in range(20)]) == list(range(20))


@pytest.mark.parametrize("ticks", [1000, 90_000, 15_360, 12_800])
@pytest.mark.parametrize("fps", [Fraction(10), Fraction(25), Fraction(30_000, 1001), Fraction(60)])
def test_a_source_at_exactly_the_rate_keeps_all_of_its_frames_although_times_are_rounded(
    fps: Fraction, ticks: int
) -> None:
    assert kept(float(fps), rounded(fps, 600, ticks)) == list(range(600))


def test_times_cut_down_to_the_millisecond_are_no_loss_either() -> None:
    times_s = [index * 1000 // 30 / 1000 for index in range(300)]
    assert kept(30, times_s) == list(range(300))


@pytest.mark.parametrize("drift", [0.998, 1.0, 1.002])
def test_a_camera_at_about_the_rate_loses_nothing_although_its_times_waver(drift: float) -> None:
    waver = Random(3)
    times_s = [index * drift / 10 + waver.uniform(-0.01, 0.01) for index in range(3000)]
    assert len(kept(10, times_s)) >= min(3000, 3000 * drift) - 2


def test_after_a_hole_sampling_goes_on_at_once() -> None:
    assert kept(1, [0.0, 0.5, 7.25, 7.5, 8.25]) == [0, 2, 4]


def test_times_that_go_back_begin_anew() -> None:
    assert kept(1, [5.0, 5.5, 0.0, 0.5, 1.0]) == [0, 2, 4]


def test_times_may_begin_before_zero() -> None:
    assert kept(1, [-1.5, -0.5, 0.5, 1.5]) == [0, 1, 2, 3]


@given(
    st.fractions(1, 60), st.fractions(1, 60), st.integers(1, 300), st.sampled_from([1000, 90_000])
)
def test_about_as_many_frames_are_offered_as_was_asked_for(
    source: Fraction, asked: Fraction, count: int, ticks: int
) -> None:
    times_s = rounded(source, count, ticks)
    wanted = min(count, float(asked) * count / float(source))
    assert abs(len(kept(float(asked), times_s)) - wanted) <= 2


@given(st.fractions(1, 60), st.fractions(1, 60), st.integers(0, 300))
def test_how_many_frames_a_steady_source_offers_is_known_beforehand(
    source: Fraction, asked: Fraction, count: int
) -> None:
    times_s = [index / float(source) for index in range(count)]
    assert frames_kept(count, float(source), float(asked)) == len(kept(float(asked), times_s))


def test_that_holds_for_all_whole_rates_although_times_are_rounded() -> None:
    for source, asked in product(range(1, 61), range(1, 31)):
        offered = kept(asked, [index / source for index in range(120)])
        for count in (30, 59, 60, 90, 119, 120):
            known = frames_kept(count, source, asked)
            assert known == sum(index < count for index in offered), (source, asked, count)


@given(st.lists(st.floats(0, 100), max_size=30).map(sorted), st.floats(0.1, 100))
def test_a_file_read_again_gives_the_same_frames(times_s: list[float], fps: float) -> None:
    assert kept(fps, times_s) == kept(fps, times_s)
    assert not times_s or kept(fps, times_s)[0] == 0
