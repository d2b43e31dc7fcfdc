"""The pictures of the last minutes that the page keeps: bounded, and fewer the older they are."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.web import Page
from connectors.web.memory import EVERY_US, Memory
from connectors.web.past import FINEST, SPAN_US, THIN_EVERY, Moment, Past, thinned
from connectors.web.shown import Shown
from stream.types import Raw
from tests.support.clock import VirtualClock
from tests.support.scene import encoded, joined
from tests.support.waiting import eventually

SECOND_US = 1_000_000


def moment(number: int, heard_us: int, size: int = 100, epoch: int = 1) -> Moment:
    return Moment(number, epoch, number, heard_us, "", bytes(size))


def filled(past: Past, count: int, every_us: int = SECOND_US // 5, camera: str = "hall") -> None:
    for number in range(1, count + 1):
        past.add(camera, moment(number, number * every_us))


def kept(past: Past, camera: str = "hall") -> list[int]:
    found, step = [], past.beside(camera, 0, 1)
    while step is not None and step.number not in found:
        found.append(step.number)
        step = past.beside(camera, step.number, 1)
    return found


@given(st.lists(st.integers(1, 30 * SECOND_US), min_size=1, max_size=400), st.integers(1, FINEST))
def test_what_is_thinned_has_no_hole_much_larger_than_a_part_of_its_age(
    gaps_us: list[int], finest: int
) -> None:
    times_us = np.cumsum(gaps_us).tolist()
    moments = [moment(number, time_us) for number, time_us in enumerate(times_us)]
    left = thinned(moments, finest)
    assert left[-1] == moments[-1]
    assert [each.number for each in left] == sorted({each.number for each in left})
    now_us, longest_us = times_us[-1], max(gaps_us)
    for one, other in pairwise(left):
        age_us = now_us - one.heard_us
        assert age_us <= SPAN_US
        assert other.heard_us - one.heard_us <= age_us / finest + longest_us


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4000)), max_size=300))
def test_it_never_takes_more_than_it_may_and_keeps_the_newest_of_each(
    shown: list[tuple[str, int]],
) -> None:
    past, most = Past(20_000), 20_000
    for number, (camera, size) in enumerate(shown, 1):
        past.add(camera, moment(number, number * SECOND_US, size))
        newest = past.beside(camera, number, 0)
        assert past.size_bytes <= most
        assert newest is not None
        assert newest.number == number


def test_the_newest_seconds_stay_whole_and_minutes_ago_there_is_less() -> None:
    past = Past()
    filled(past, 5 * 1200)
    numbers = kept(past)
    assert numbers[-5 * 40 :] == list(range(5 * 1200 - 5 * 40 + 1, 5 * 1200 + 1))
    first, last = past.span("hall") or (0, 0)
    assert SPAN_US - 5 * SECOND_US < last - first < SPAN_US + THIN_EVERY * SECOND_US // 5
    assert 600 < len(numbers) < 1000


def test_a_camera_with_large_pictures_does_not_take_the_past_of_another() -> None:
    past = Past(100_000)
    filled(past, 50, camera="small")
    for number in range(1, 200):
        past.add("large", moment(number, number * SECOND_US, 5000))
    assert len(kept(past, "small")) == 50
    assert len(kept(past, "large")) > 5


def test_a_moment_is_found_by_time_by_step_and_by_frame() -> None:
    past = Past()
    filled(past, 10)
    at = past.at("hall", 1_390_000)
    assert at is not None
    assert at.number == 7
    for number, step, found in [(7, 0, 7), (7, -2, 5), (7, 9, 10), (1, -1, 1), (99, 1, 10)]:
        beside = past.beside("hall", number, step)
        assert beside is not None
        assert beside.number == found
    frame = past.frame("hall", 1, 4)
    assert frame is not None
    assert frame.seq == 4
    assert past.frame("hall", 2, 4) is None
    assert past.at("yard", 0) is None


def test_a_frame_from_long_before_what_is_kept_has_no_picture() -> None:
    past = Past()
    past.add("hall", moment(1, SECOND_US))
    past.add("hall", moment(100, 20 * SECOND_US, epoch=2))
    for seq, found in [(0, None), (69, None), (70, 100), (100, 100), (400, 100)]:
        frame = past.frame("hall", 2, seq)
        assert (frame and frame.seq) == found


def test_a_camera_keeps_at_most_ten_pictures_a_second() -> None:
    memory = Memory()
    for number in range(1, 301):  # 30 a second
        memory.offer("hall", Shown(number, number * SECOND_US // 30, encoded(0)))
    assert 98 <= len(kept(memory.past)) <= 102


async def test_pixels_are_kept_as_jpeg_and_one_that_is_none_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory = Memory()
    bad = joined(0, "yard")
    bad = replace(bad, frame=replace(bad.frame, picture=Raw(np.zeros((4, 4), np.uint8))))
    memory.offer("yard", Shown(1, EVERY_US, bad))
    memory.offer("hall", Shown(1, EVERY_US, joined(1)))
    developing = asyncio.create_task(memory.develop())
    await eventually(lambda: memory.past.span("hall") is not None, "a JPEG is kept")
    developing.cancel()
    found = memory.past.beside("hall", 1, 0)
    assert found is not None
    assert found.jpeg.startswith(b"\xff\xd8")
    assert memory.past.span("yard") is None
    assert "yard/1/0: not kept on the page" in caplog.text


async def test_what_is_being_made_of_a_camera_that_is_removed_is_not_kept() -> None:
    clock = VirtualClock()
    page = Page(cameras=["hall"], zones=list, now_us=clock.now_us)
    page.offer(joined(0))
    remembering = asyncio.create_task(page.remember())
    await asyncio.sleep(0)  # it is at work
    page.keep([])
    page.keep(["hall"])
    clock.advance(1)
    again_us = clock.now_us()
    page.offer(joined(1))
    await eventually(lambda: page.past.span("hall") is not None, "the next picture is kept")
    assert page.past.span("hall") == (again_us, again_us)
    remembering.cancel()


def test_a_camera_that_is_there_again_repeats_no_number() -> None:
    page = Page(cameras=["hall"], zones=list, now_us=lambda: 0)
    numbers = []
    for seq in range(3):
        page.offer(encoded(seq))
        shown = page.shown("hall", 0)
        assert shown is not None
        numbers.append(shown.number)
        page.keep([])
        assert page.shown("hall", 0) is None
        page.keep(["hall"])
    assert numbers == sorted(set(numbers))
