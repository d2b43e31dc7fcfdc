"""What ails a camera, found in its pictures: on real clips, and on what was done to them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pytest

from stream.seeing import Eye, Finding, Look, thumbnail
from stream.seeing.black import Black
from stream.seeing.frozen import Frozen
from stream.seeing.moved import AFTER_US, LEARN_US, Moved
from stream.seeing.skewed import Skewed
from stream.seeing.slow import Slow
from stream.specs import CameraHealthSpec
from stream.types import Pixels
from tests.support.clock import START_US
from tests.support.pictures import (
    BOTTLES,
    PEOPLE,
    encoded_again,
    lit,
    looks_at,
    looks_of,
    pictures,
    shifted,
    thumbnails,
    turned,
)

FPS = 10
SECOND = 1_000_000
SCENES = {PEOPLE: 2, BOTTLES: 6}
"""The clips, and each how manieth picture to take for about five a second."""

Detect = Callable[[Look], Finding | None]


def said(detect: Detect, looks: Iterable[Look]) -> list[tuple[float, bool]]:
    """(seconds since the start, whether it holds) of each change."""
    changes: list[tuple[float, bool]] = []
    for look in looks:
        finding = detect(look)
        if finding is not None and [finding.is_on] != [is_on for _, is_on in changes[-1:]]:
            changes.append(((look.time_us - START_US) / SECOND, finding.is_on))
    return changes


def grey(level: int) -> np.ndarray:
    return np.full((36, 64), level, np.uint8)


# --- frozen ---------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", SCENES)
def test_a_real_scene_is_never_frozen_nor_black_nor_moved(shared: Path, clip: str) -> None:
    small, fps = thumbnails(shared / "video" / clip)
    looks = looks_of(small, fps)
    assert [is_on for _, is_on in said(Frozen(10 * SECOND).look, looks)] == [False]
    assert [is_on for _, is_on in said(Black().look, looks)] == [False]
    assert [is_on for _, is_on in said(Moved().look, looks)] == [False]


@pytest.mark.parametrize("crf", ["35", "51"])
def test_a_still_scene_at_a_wretched_bit_rate_is_not_frozen(shared: Path, crf: str) -> None:
    """The emptiest half minute of the corridor; nobody walks through most of it."""
    empty = pictures(shared / "video" / PEOPLE, 0, 30)
    poor = encoded_again(empty, "libx264", FPS, crf=crf, preset="veryfast", g="20")
    assert tuple(is_on for _, is_on in said(Frozen(5 * SECOND).look, looks_at(poor, FPS))) == (
        False,
    )


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"crf": "23", "g": "20"}),
        ("libx264", {"b": "300000", "maxrate": "300000", "bufsize": "300000", "g": "20"}),
        ("libx265", {"crf": "28", "g": "20", "x265-params": "log-level=none"}),
        ("mpeg4", {"b": "500000"}),
    ],
)
def test_a_picture_that_is_encoded_again_and_again_is_frozen(
    shared: Path, codec: str, options: dict[str, str]
) -> None:
    alive = pictures(shared / "video" / PEOPLE, 8, 5)
    film = encoded_again([*alive, *[alive[-1]] * 150], codec, FPS, **options)
    changes = said(Frozen(10 * SECOND).look, looks_at(film, FPS))
    assert [is_on for _, is_on in changes] == [False, True]
    assert 14.9 <= changes[-1][0] <= 17  # the last picture that was alive came at 4.9 s


def test_frozen_tells_since_when_and_ends_with_the_first_other_picture() -> None:
    eye = Frozen(2 * SECOND)
    looks = looks_of([grey(50)] * 31 + [grey(60)], FPS)
    *_, still, other = [eye.look(look) for look in looks]
    assert still == Finding(True, START_US, "the same picture for 3 s")
    assert other == Finding(False, looks[-1].time_us)


def test_a_slow_drift_of_light_is_not_frozen() -> None:
    drift = [grey(50 + number // 20) for number in range(400)]
    assert [is_on for _, is_on in said(Frozen(10 * SECOND).look, looks_of(drift, FPS))] == [False]


# --- black ----------------------------------------------------------------------------------


def test_a_covered_lens_is_black_after_a_second_noise_and_clock_and_all(shared: Path) -> None:
    scene = pictures(shared / "video" / PEOPLE, 0, 2)
    noise = np.random.default_rng(0).integers(0, 20, (40, *scene[0].shape), np.uint8)
    noise[:, 10:30, 10:200] = 255  # the clock that the camera writes
    changes = said(Black().look, looks_at([*scene, *noise, *scene], FPS))
    assert changes == [(0.0, False), (3.0, True), (6.0, False)]


def test_a_dim_scene_is_not_black(shared: Path) -> None:
    dim = [lit(each, 0.2) for each in pictures(shared / "video" / PEOPLE, 0, 3)]
    assert said(Black().look, looks_at(dim, FPS)) == [(0.0, False)]


# --- moved ----------------------------------------------------------------------------------

BEFORE_S, AFTER_S = 12, 8


@lru_cache(maxsize=2)
def scene(clip: Path) -> list[Pixels]:
    """The beginning of a clip."""
    return pictures(clip, 0, BEFORE_S + AFTER_S, SCENES[clip.name])


def view_changes(clip: Path, change: Callable[[Pixels], Pixels]) -> list[bool]:
    """What is said of a view that changes, and changes back."""
    seen = scene(clip)
    fps = len(seen) / (BEFORE_S + AFTER_S)
    first, rest = seen[: round(BEFORE_S * fps)], seen[round(BEFORE_S * fps) :]
    film = [*first, *map(change, rest), *rest]
    return [is_on for _, is_on in said(Moved().look, looks_at(film, fps))]


@pytest.mark.parametrize("clip", SCENES)
@pytest.mark.parametrize(
    "change",
    [
        partial(shifted, across=0.15, down=0),
        partial(shifted, across=-0.15, down=0),
        partial(shifted, across=0, down=0.15),
        partial(shifted, across=0.15, down=0.15),
        partial(turned, degrees=15),
        partial(turned, degrees=-30),
        partial(turned, degrees=180),
        partial(turned, degrees=0, zoom=1.5),
    ],
    ids=str,
)
def test_a_camera_that_was_pushed_has_moved_until_it_is_back(
    shared: Path, clip: str, change: Callable[[Pixels], Pixels]
) -> None:
    assert view_changes(shared / "video" / clip, change) == [False, True, False]


@pytest.mark.parametrize("clip", SCENES)
@pytest.mark.parametrize(
    "change",
    [
        partial(lit, gain=0.3),
        partial(lit, gain=0.05),
        partial(lit, gain=1.4),
        partial(shifted, across=0.01, down=0.01),
        lambda pixels: 255 - pixels,
        np.zeros_like,
    ],
    ids=["dusk", "night", "glare", "wind", "infrared", "black"],
)
def test_other_light_is_no_other_view(
    shared: Path, clip: str, change: Callable[[Pixels], Pixels]
) -> None:
    assert view_changes(shared / "video" / clip, change) == [False]


def test_another_scene_has_moved(shared: Path) -> None:
    corridor = pictures(shared / "video" / PEOPLE, 0, 12)
    belt = pictures(shared / "video" / BOTTLES, 0, 5, 3)
    looks = looks_at([*corridor, *belt], FPS)
    changes = said(Moved().look, looks)
    assert [is_on for _, is_on in changes] == [False, True]
    assert changes[-1][0] <= 12 + AFTER_US / SECOND + 1


def test_a_plain_wall_gives_nothing_to_hold_on_to() -> None:
    wall = np.random.default_rng(0).integers(120, 126, (300, 36, 64), np.uint8)
    assert said(Moved().look, looks_of(wall, FPS)) == []


def test_a_camera_that_begins_in_the_dark_learns_its_view_in_the_light(shared: Path) -> None:
    here = pictures(shared / "video" / PEOPLE, 0, 25)
    dark = [lit(each, 0.01) for each in here[:150]]
    pushed = [shifted(each, 0.2, 0.1) for each in here[:60]]
    changes = said(Moved().look, looks_at([*dark, *here, *pushed], FPS))
    assert [is_on for _, is_on in changes] == [False, True]
    assert changes[-1][0] >= 40


def test_a_view_is_learned_before_it_is_judged(shared: Path) -> None:
    looks = looks_at(pictures(shared / "video" / PEOPLE, 0, 12), FPS)
    (first_s, _), *_ = said(Moved().look, looks)
    assert first_s >= LEARN_US / SECOND


# --- slow and skewed ------------------------------------------------------------------------


@pytest.mark.parametrize(("fps", "answer"), [(10, [False]), (8.1, [False]), (7.5, [True])])
def test_fewer_frames_than_asked_for_are_slow(fps: float, answer: list[bool]) -> None:
    looks = looks_of([grey(0)] * 300, fps)
    assert [is_on for _, is_on in said(Slow(10, 0.8).look, looks)] == answer


def test_frames_that_were_offered_and_dropped_are_not_slow() -> None:
    looks = looks_of([grey(0)] * 300, 10)[::3]
    assert [is_on for _, is_on in said(Slow(10, 0.8).look, looks)] == [False]


def test_slow_tells_the_rate_and_since_when() -> None:
    slow = Slow(10, 0.8)
    *_, finding = filter(None, map(slow.look, looks_of([grey(0)] * 200, 5)))
    assert finding == Finding(True, START_US, "5.0 of 10 frames a second")


def clocked(ahead_s: Iterable[float]) -> list[Look]:
    """Looks whose camera's clock is so far ahead of ours."""
    looks = looks_of([grey(0)] * 600, FPS)
    return [
        replace(look, camera_us=look.time_us + round(ahead * SECOND))
        for look, ahead in zip(looks, ahead_s, strict=False)
    ]


@pytest.mark.parametrize(
    ("ahead_s", "answer"),
    [
        ([0.2] * 300, [False]),
        ([2.5] * 300, [True]),
        ([-2.5] * 300, [True]),
        ([-0.1] * 100 + [-4.0] * 20 + [-0.1] * 100, [False]),
        ([0.0] * 150 + [1.5] * 150, [False, True, False]),
        ([0.0] * 150 + [3600.0] * 150, [False, True]),
    ],
    ids=["near", "ahead", "behind", "late for a while", "a small step", "a large step"],
)
def test_a_camera_whose_clock_is_off_or_steps_is_skewed(
    ahead_s: list[float], answer: list[bool]
) -> None:
    detector = Skewed(2 * SECOND)
    assert [is_on for _, is_on in said(detector.look, clocked(ahead_s))] == answer


def test_a_camera_that_tells_no_time_is_not_skewed() -> None:
    assert said(Skewed(2 * SECOND).look, looks_of([grey(0)] * 400, FPS)) == [(30.0, False)]


def test_a_camera_that_tells_its_time_no_more_is_not_skewed_for_ever() -> None:
    silent = [replace(look, camera_us=None) for look in clocked([9.0] * 500)[101:]]
    detector = Skewed(2 * SECOND)
    changes = said(detector.look, [*clocked([9.0] * 101), *silent])
    assert changes == [(5.0, True), (40.0, False)]
    assert detector.ahead_us is None


# --- the eye --------------------------------------------------------------------------------


def test_a_camera_is_resized_while_its_size_is_not_the_first() -> None:
    eye, found = Eye(CameraHealthSpec()), []
    for number, size in enumerate([(1080, 1920), (1080, 1920), (360, 640), (1080, 1920)]):
        eye.begin(START_US + number, size, 10)
        found.append(eye.look(Look(0, START_US + number, grey(number))).get("resized"))
        assert "resized" not in eye.look(Look(1, START_US + number, grey(number)))
    assert found == [
        Finding(False, START_US),
        Finding(False, START_US + 1),
        Finding(True, START_US + 2, "640×360, was 1920×1080"),
        Finding(False, START_US + 3),
    ]


def test_a_camera_of_which_no_rate_is_asked_any_more_is_not_slow() -> None:
    eye = Eye(CameraHealthSpec())
    eye.begin(START_US, (36, 64), None)
    assert eye.look(Look(0, START_US, grey(9)))["slow"] == Finding(False, START_US)


def test_a_view_that_moved_while_the_camera_was_away_is_noticed(shared: Path) -> None:
    eye = Eye(CameraHealthSpec())
    here = pictures(shared / "video" / PEOPLE, 0, 12)
    for first, seen in ((0, here), (200, [shifted(each, 0.2, 0.1) for each in here[:40]])):
        eye.begin(START_US + first * SECOND // FPS, (432, 768), FPS)
        findings = [eye.look(look).get("moved") for look in looks_at(seen, FPS, first)]
    assert [each.is_on for each in findings if each is not None][-1:] == [True]


@pytest.mark.parametrize("size", [(1080, 1920), (468, 832), (36, 64), (4, 6), (1, 1), (1, 900)])
def test_a_thumbnail_has_one_size_whatever_the_picture_has(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 77, np.uint8)
    assert np.array_equal(thumbnail(picture), grey(77))
