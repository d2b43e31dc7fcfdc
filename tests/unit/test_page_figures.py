"""What the page says about a camera in figures."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.web.bulletin import EVERY_S, Bulletin, Bulletins
from connectors.web.figures import HORIZON_US, OLD_US, Gauge, Without
from stream.rules.trouble import FRESH_US, Trouble
from stream.skipping import Skipped
from stream.types import CameraHealth, CameraStatus
from tests.support.build import MODEL, gap, result
from tests.support.clock import START_US
from tests.support.scene import joined

SECOND_US = 1_000_000


def test_nothing_is_said_before_anything_came() -> None:
    figures = Gauge().figures(START_US)
    assert (figures.rate, figures.age_p50_ms, figures.age_p99_ms) == (None, None, None)
    assert (figures.state, figures.model, figures.gaps) == (None, None, {})


def test_rate_and_ages_are_those_of_the_last_ten_seconds() -> None:
    gauge = Gauge()
    for seq in range(200):
        arrived_us = START_US
        now_us = arrived_us + seq * SECOND_US // 10
        gauge.count(result(seq), now_us)
    figures = gauge.figures(START_US + 20 * SECOND_US)
    assert figures.rate == pytest.approx(10)
    assert figures.age_p50_ms == pytest.approx(14_950)
    assert figures.age_p99_ms == pytest.approx(19_801)
    assert figures.model == MODEL


def test_a_camera_that_falls_silent_has_no_rate() -> None:
    gauge = Gauge()
    gauge.count(result(), START_US)
    assert gauge.figures(START_US + HORIZON_US + 1).rate is None


def test_the_rate_does_not_wait_for_a_full_horizon() -> None:
    gauge = Gauge()
    for seq in range(20):
        gauge.count(result(seq), START_US + 5 * SECOND_US + seq * SECOND_US // 10)
    assert gauge.figures(START_US + 7 * SECOND_US).rate == pytest.approx(10)


def test_the_rate_falls_when_results_stay_away() -> None:
    gauge = Gauge()
    for seq in range(20):
        gauge.count(result(seq), START_US + seq * SECOND_US // 10)
    assert gauge.figures(START_US + 6 * SECOND_US).rate == pytest.approx(19 / 5)


def test_gaps_count_frames_by_reason() -> None:
    gauge = Gauge()
    gauge.count(gap(0, 4), START_US)
    gauge.count(gap(5, 5), START_US)
    gauge.count(gap(6, 7, "overflow"), START_US)
    assert gauge.figures(START_US).gaps == {"stale": 6, "overflow": 2}


def test_a_camera_is_as_ingest_says_and_live_where_it_says_nothing() -> None:
    gauge = Gauge()
    gauge.count(result(), START_US)
    assert gauge.figures(START_US).state == "live"
    gauge.status(CameraStatus("hall", "lost", START_US, "connection refused"))
    figures = gauge.figures(START_US)
    assert (figures.state, figures.reason) == ("lost", "connection refused")
    assert figures.since_us == START_US
    gauge.status(CameraStatus("hall", "lost", START_US + SECOND_US, "no answer", START_US))
    figures = gauge.figures(START_US + SECOND_US)
    assert (figures.since_us, figures.reason) == (START_US, "no answer")


def test_what_ails_a_camera_stands_beside_its_state_while_it_is_told() -> None:
    gauge = Gauge()
    frozen = CameraHealth("hall", 1, 3, START_US, "frozen", True, START_US, "the same picture")
    well = CameraHealth("hall", 1, 9, START_US + 1, "frozen", False, START_US + 1)
    gauge.health(frozen, START_US)
    held = {"frozen": Trouble(START_US, START_US, "the same picture")}
    assert gauge.figures(START_US + 1).conditions == held
    assert gauge.figures(START_US + FRESH_US).conditions == {}
    gauge.health(well, START_US + 1)
    assert gauge.figures(START_US + 1).conditions == {}


@given(st.lists(st.floats(0, 10), min_size=1).map(sorted))
def test_whoever_asks_gets_one_of_the_last_second_and_none_is_made_more_often(
    asked_s: list[float],
) -> None:
    made: list[Bulletin] = []

    def make() -> Bulletin:
        made.append(Bulletin(stats=str(now_s), places=""))
        return made[-1]

    bulletins = Bulletins(make)
    for now_s in asked_s:
        assert 0 <= now_s - float(bulletins.at(now_s).stats) < EVERY_S
    times_s = [float(each.stats) for each in made]
    assert all(later - before >= EVERY_S for before, later in pairwise(times_s))


def test_what_is_skipped_in_earnest_is_told_until_it_is_over() -> None:
    gauge = Gauge()
    for second in range(11):
        gauge.count(gap(2 * second, 2 * second), START_US + second * SECOND_US)
        gauge.count(result(2 * second + 1), START_US + second * SECOND_US)
    assert gauge.figures(START_US + 10 * SECOND_US).skipped == Skipped(0.5, "stale")
    assert gauge.figures(START_US + 21 * SECOND_US).skipped is None


def test_pictures_that_come_without_masks_or_identities_are_said_to_and_how_long() -> None:
    gauge, whole = Gauge(), joined()
    untracked = replace(whole, tracks=None)
    bare = replace(untracked, result=None)
    for number, shown in enumerate([whole, *[bare] * 3, whole, *[untracked] * 3, *[bare] * 3]):
        gauge.show(shown, START_US + number * SECOND_US)
        told = gauge.figures(START_US + number * SECOND_US).without
        assert told == {
            2: Without("masks", 1),
            3: Without("masks", 2),
            6: Without("identities", 1),
            7: Without("identities", 2),
            9: Without("masks", 1),
            10: Without("masks", 2),
        }.get(number)
    assert gauge.figures(START_US + 11 * SECOND_US + HORIZON_US).without is None


def test_a_live_picture_that_is_old_when_it_is_shown_is_said_to_be() -> None:
    gauge, live = Gauge(), joined()
    gauge.show(live, START_US + OLD_US)
    assert gauge.figures(START_US + OLD_US).old_s is None
    gauge.show(live, START_US + 12 * SECOND_US)
    assert gauge.figures(START_US + 13 * SECOND_US).old_s == 12
    assert gauge.figures(START_US + 13 * SECOND_US + HORIZON_US).old_s is None
    gauge.show(replace(live, frame=replace(live.frame, mode="archive")), START_US + 60 * SECOND_US)
    assert gauge.figures(START_US + 60 * SECOND_US).old_s is None
