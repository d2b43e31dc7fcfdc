"""A line and who crosses it: points in pixels, the line upright or askew."""

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.rules.line import Line, Walk, Way, clear_px, walked
from stream.types import Point

UP = Line((100, 200), (100, 100))
"""From below to above: its right is the right of the picture."""
CLEAR = 5.0


def ways(line: Line, points: Sequence[Point]) -> list[Way]:
    walk: Walk | None = None
    found = []
    for point in points:
        walk, way = walked(line, walk, point, CLEAR)
        walk = msgspec.json.decode(msgspec.json.encode(walk), type=Walk)
        found += [way] if way else []
    return found


def across(*columns: float, y: float = 150) -> list[Point]:
    return [(x, y) for x in columns]


def test_right_and_left_are_those_of_who_walks_along_the_line() -> None:
    assert ways(UP, across(80, 90, 110, 120)) == ["left-to-right"]
    assert ways(Line(UP.end, UP.start), across(80, 90, 110, 120)) == ["right-to-left"]
    eastward = Line((0, 100), (200, 100))
    assert ways(eastward, [(50, 80), (50, 120)]) == ["left-to-right"]
    assert eastward.to_the_right_px((50, 120)) == 20
    assert Line((0, 0), (3, 4)).to_the_right_px((0, 5)) == pytest.approx(3)


def test_there_and_back_again_is_two_crossings() -> None:
    assert ways(UP, across(80, 120, 80)) == ["left-to-right", "right-to-left"]


def test_a_point_on_the_line_is_passed_once() -> None:
    assert ways(UP, across(80, 100, 120)) == ["left-to-right"]
    assert ways(UP, across(120, 100, 80)) == ["right-to-left"]


def test_a_walk_along_the_line_crosses_nothing() -> None:
    assert ways(UP, [(100, y) for y in range(90, 210, 10)]) == []
    assert ways(UP, [(90, 90), *((100, y) for y in range(100, 200, 10)), (90, 210)]) == []


def test_who_comes_near_and_turns_back_has_not_crossed() -> None:
    assert ways(UP, across(80, 99, 104.9, 80)) == []


def test_who_lingers_on_the_line_crosses_when_clear_of_it() -> None:
    lingering = [80, 101, 99, 103, 98, 104]
    assert ways(UP, across(*lingering)) == []
    assert ways(UP, across(*lingering, 106)) == ["left-to-right"]


def test_a_return_counts_when_clear_on_the_first_side_again() -> None:
    assert ways(UP, across(80, 106, 96, 104, 95.1, 106)) == ["left-to-right"]
    assert ways(UP, across(80, 106, 94)) == ["left-to-right", "right-to-left"]


def test_who_is_first_seen_at_the_line_or_beyond_it_has_not_crossed() -> None:
    assert ways(UP, across(97, 120)) == []
    assert ways(UP, across(103, 120)) == []
    assert ways(UP, across(120, 140)) == []


def test_who_goes_around_an_end_has_not_crossed() -> None:
    assert ways(UP, [(80, 150), (80, 90), (120, 90), (120, 150)]) == []


def test_who_goes_around_an_end_and_returns_over_the_line_crosses_once() -> None:
    around = [(80, 150), (80, 90), (120, 90), (120, 150), (80, 150)]
    assert ways(UP, around) == ["right-to-left"]


def test_where_the_way_led_over_the_line_counts_not_where_it_was_clear() -> None:
    """Over the line just below its upper end, along it in the band, clear beside the end."""
    assert ways(UP, [(94, 105), (102, 105), (102, 90), (110, 90)]) == ["left-to-right"]
    assert ways(UP, [(94, 90), (102, 90), (102, 105), (110, 105)]) == []


def test_over_an_end_is_over_the_line() -> None:
    assert ways(UP, across(90, 110, y=100)) == ways(UP, across(90, 110, y=200)) != []


def test_clear_is_a_tenth_of_the_height_but_not_less_than_the_picture_flickers() -> None:
    assert clear_px(300, 1080) == 30
    assert clear_px(20, 1080) == 5.4


columns = st.floats(60, 140)
walks = st.lists(st.tuples(columns, st.floats(60, 240)), max_size=30)
exactly = settings(derandomize=True, deadline=None, max_examples=300)


@exactly
@given(walks)
def test_the_walk_reversed_crosses_the_other_way(walk: list[Point]) -> None:
    """Ends are clear of the line, so that neither is unknown."""
    walk = [(60.0, 150.0), *walk, (140.0, 150.0)]
    turned: dict[Way, Way] = {
        "left-to-right": "right-to-left",
        "right-to-left": "left-to-right",
    }
    assert ways(UP, walk[::-1]) == [turned[way] for way in ways(UP, walk)[::-1]]


@exactly
@given(walks)
def test_the_line_reversed_is_crossed_the_other_way(walk: list[Point]) -> None:
    """But for points exactly on it, which are passed with the next move."""
    walk = [(x + 0.001 * (x == UP.start[0]), y) for x, y in walk]
    there, back = ways(UP, walk), ways(Line(UP.end, UP.start), walk)
    assert len(there) == len(back)
    assert all(one != other for one, other in zip(there, back, strict=True))


@exactly
@given(st.lists(st.tuples(st.floats(-CLEAR, CLEAR), st.floats(90, 210)), max_size=40), columns)
def test_no_jitter_within_the_band_crosses(jitter: list[Point], column: float) -> None:
    walk = [(column, 150.0), *((100 + x, y) for x, y in jitter)]
    assert ways(UP, walk) == []


@exactly
@given(walks)
def test_crossings_between_the_ends_of_a_long_line_alternate(walk: list[Point]) -> None:
    found = ways(Line((100, 1e4), (100, -1e4)), walk)
    assert all(one != other for one, other in pairwise(found))


@exactly
@given(walks, st.floats(0, 2 * math.pi), st.floats(0.5, 4))
def test_a_turned_and_scaled_picture_has_the_same_crossings(
    walk: list[Point], angle: float, scale: float
) -> None:
    def moved(point: Point) -> Point:
        x, y = point[0] * scale, point[1] * scale
        return (
            x * math.cos(angle) - y * math.sin(angle),
            x * math.sin(angle) + y * math.cos(angle),
        )

    walk = [(round(x) + 0.25, round(y) + 0.25) for x, y in walk]
    expected = ways(UP, walk)
    line, state, found = Line(moved(UP.start), moved(UP.end)), None, []
    for point in walk:
        state, way = walked(line, state, moved(point), CLEAR * scale)
        found += [way] if way else []
    assert found == expected
