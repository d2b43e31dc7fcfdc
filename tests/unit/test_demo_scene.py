"""The demo's drawn yard: repeatable, honestly labelled, with the story that it promises."""

from __future__ import annotations

import itertools
import math

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from connectors.demo import dataset, evaluate, film, script
from connectors.demo.boxes import Box
from connectors.demo.cast import LENGTH, ROLES
from connectors.demo.cuboid import Stand
from connectors.demo.geometry import HEIGHT, WIDTH, Bounds, Camera, back_to_front
from connectors.demo.light import Light
from connectors.demo.looks import HELD_OUT, TRAIN, shared
from connectors.demo.motion import Course, Leg, Wait
from connectors.demo.person import Pose, drawn_outfit, figure
from connectors.demo.render import LABELS, Backdrop, Frame, Thing, render
from connectors.demo.scene import BOX, PERSON, box_thing, drawn_frame, person_thing
from connectors.demo.stage import CAMERA, LOADING_ZONE, LOADING_ZONE_GROUND
from connectors.demo.train import rate_at

SEED = 12


@pytest.fixture(scope="module")
def frame() -> Frame:
    return drawn_frame(SEED, TRAIN)


def blank_yard() -> Backdrop:
    image = np.full((HEIGHT, WIDTH, 3), 140, np.uint8)
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    return Backdrop(image, everywhere, ~everywhere, wall=99.0)


def person(x: float, y: float, stride: float = 1.0, phase: float = 0.7) -> Thing:
    outfit = drawn_outfit(np.random.default_rng(1), TRAIN)
    return person_thing(outfit, Pose(x, y, 0.3, phase=phase, stride=stride))


def crate(x: float, y: float, height: float = 0.9) -> Thing:
    box = Box("crate", (0.9, 0.9, height), (80.0, 120.0, 160.0))
    return box_thing(box, Stand(x, y), Light(), Camera().centre)


def drawn(*things: Thing) -> Frame:
    return render(things, blank_yard(), Camera(), Light())


def test_the_same_seed_draws_the_same_bytes(frame: Frame) -> None:
    again = drawn_frame(SEED, TRAIN)
    assert again.image.tobytes() == frame.image.tobytes()
    assert again.ids.tobytes() == frame.ids.tobytes()
    assert again.labels == frame.labels


def test_another_seed_draws_another_picture(frame: Frame) -> None:
    assert drawn_frame(SEED + 1, TRAIN).image.tobytes() != frame.image.tobytes()


def test_a_frame_has_the_documented_shapes(frame: Frame) -> None:
    assert frame.image.shape == (468, 832, 3)
    assert frame.ids.shape == (468, 832)
    assert frame.image.dtype == frame.ids.dtype == np.uint8


def test_every_number_in_the_truth_has_a_label(frame: Frame) -> None:
    assert int(frame.ids.max()) <= len(frame.labels)
    assert set(frame.labels) <= set(range(len(LABELS)))


def test_masks_are_disjoint_and_cover_what_is_numbered(frame: Frame) -> None:
    masks = np.array([frame.mask(index) for index in range(len(frame.labels))])
    assert masks.sum(axis=0).max() == 1
    assert np.array_equal(masks.any(axis=0), frame.ids > 0)


def test_a_mask_is_where_the_thing_changed_the_picture() -> None:
    seen = drawn(person(0.0, 11.0))
    changed = (seen.image != drawn().image).any(axis=2)
    assert seen.labels == (PERSON,)
    assert seen.mask(0).sum() > 500
    assert changed[seen.mask(0)].mean() > 0.98


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_is_nearer_hides_what_is_behind_it(order: tuple[int, int]) -> None:
    things = (person(0.0, 12.0), crate(0.0, 10.5))
    seen = drawn(*(things[i] for i in order))
    alone = drawn(things[0]).mask(0).sum()
    box = drawn(things[1]).mask(0)
    assert seen.mask(order.index(0)).sum() < 0.8 * alone
    assert np.array_equal(seen.mask(order.index(1)), box)


def test_a_box_on_a_box_is_painted_after_it() -> None:
    low = Bounds(0.0, 12.0, 0.2, 0.5, 0.5, 0.0, 0.8)
    high = Bounds(0.0, 12.4, 0.2, 0.5, 0.5, 0.8, 1.5)
    assert back_to_front([high, low], Camera().centre) == [1, 0]


def rasterised(line: str) -> tuple[int, NDArray[np.bool_]]:
    label, *numbers = line.split()
    ring = np.array(numbers, float).reshape(-1, 2) * (WIDTH, HEIGHT) - 0.5
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.round(ring).astype(np.int32)], 1)
    return int(label), mask.astype(bool)


def test_polygons_keep_the_label_and_the_mask(frame: Frame) -> None:
    lines = dataset.polygons(frame)
    large = [i for i in range(len(frame.labels)) if frame.mask(i).sum() >= 160]
    assert len(lines) == len(large)
    for index, line in zip(large, lines, strict=True):
        label, mask = rasterised(line)
        truth = frame.mask(index)
        assert label == frame.labels[index]
        assert (mask & truth).sum() / truth.sum() > 0.98


def test_one_polygon_carries_both_halves_of_a_divided_instance() -> None:
    # a low crate in front leaves the head above it and the feet beside it
    seen = drawn(crate(0.0, 12.0, 1.9), person(0.0, 10.6))
    truth = seen.mask(0)
    parts, _ = cv2.connectedComponents(truth.astype(np.uint8))
    label, mask = rasterised(dataset.polygons(seen)[0])
    assert parts > 2
    assert label == BOX
    assert (mask & truth).sum() / (mask | truth).sum() > 0.95


def test_train_and_held_out_looks_have_nothing_in_common() -> None:
    assert shared(TRAIN, HELD_OUT) == {}


def test_a_figure_stands_on_the_ground_in_every_phase() -> None:
    outfit = drawn_outfit(np.random.default_rng(2), TRAIN)
    for phase in np.linspace(0, 2 * math.pi, 16):
        solids = figure(outfit, Pose(0.0, 10.0, 0.5, phase=float(phase), stride=1.0))
        lowest = min(float((s.points[:, 2] - s.radii).min()) for s in solids)
        assert -0.02 < lowest < 0.02


def test_a_course_is_walked_without_jumps() -> None:
    course = Course(
        (
            Leg(((0.0, 9.0), (3.0, 9.0), (3.0, 12.0)), 1.4),
            Wait(2.0, 0.0),
            Leg(((3.0, 12.0), (5.0, 15.0)), 1.4),
        )
    )
    moments = [course.at(t) for t in np.arange(0, course.duration, 0.05)]
    steps = [math.dist((a.x, a.y), (b.x, b.y)) for a, b in itertools.pairwise(moments)]
    assert max(steps) <= 1.4 * 0.05 + 1e-6
    assert (moments[-1].x, moments[-1].y) == pytest.approx((5.0, 15.0), abs=0.05)


def test_the_loading_zone_is_where_its_marking_is_drawn() -> None:
    ground = np.column_stack([np.array(LOADING_ZONE_GROUND), np.zeros(4)])
    pixels, _ = CAMERA.project(ground)
    assert pixels / (WIDTH, HEIGHT) == pytest.approx(np.array(LOADING_ZONE), abs=1e-4)


def visits() -> list[tuple[float, float]]:
    """The spans, in seconds, during which somebody's feet are in the zone."""
    times = [t for t in np.arange(0, LENGTH, 0.1) if script.intruders(float(t))]
    starts = [t for t in times if not script.intruders(t - 0.1)]
    ends = [t for t in times if not script.intruders(t + 0.1)]
    return list(zip(starts, ends, strict=True))


def test_people_enter_and_leave_the_zone_at_known_times() -> None:
    known = [(7.9, 10.0), (26.4, 40.0), (46.8, 49.0), (66.0, 67.6)]
    assert visits() == [pytest.approx(span, abs=0.35) for span in known]


def test_somebody_lingers_in_the_zone_and_between_visits_it_is_clear() -> None:
    spans = visits()
    assert max(end - start for start, end in spans) >= 8
    gaps = [b[0] - a[1] for a, b in itertools.pairwise(spans)]
    gaps.append(spans[0][0] + LENGTH - spans[-1][1])
    assert min(gaps) >= 5


def test_the_film_ends_as_it_begins() -> None:
    first, last = script.things_at(0.0), script.things_at(LENGTH)
    assert len(first) == len(last)
    for one, other in zip(first, last, strict=True):
        for a, b in zip(one.solids, other.solids, strict=True):
            assert a.points == pytest.approx(b.points, abs=1e-6)


def test_nobody_on_foot_stands_in_the_way_of_the_forklift() -> None:
    for time in np.arange(0, LENGTH, 0.2):
        driven = script.forklift_at(float(time))
        if driven is None:
            continue
        stand = Stand(driven[0].x, driven[0].y, 0.0, driven[0].heading)
        for role in ROLES:
            moment = role.at(float(time))
            if moment is not None:
                ahead, aside, _ = stand.local(np.array([moment.x, moment.y, 0.0]))
                assert not (-1.5 < ahead < 2.4 and abs(aside) < 0.8), (role.name, time)


def test_the_rate_falls_from_one_to_a_hundredth() -> None:
    assert rate_at(0.0) == pytest.approx(1.0)
    assert rate_at(0.5) == pytest.approx(0.505)
    assert rate_at(1.0) == rate_at(1.3) == pytest.approx(0.01)


def test_whoever_knows_the_truth_scores_one() -> None:
    seeds = itertools.count(evaluate.FIRST_SEED)

    def oracle(image: NDArray[np.uint8]) -> list[evaluate.Found]:
        seen = drawn_frame(next(seeds), HELD_OUT)
        assert seen.image.tobytes() == image.tobytes()
        return [evaluate.Found(k, 0.9, seen.mask(i)) for i, k in enumerate(seen.labels)]

    scores = evaluate.evaluate(oracle, 3)
    assert scores["all"] == pytest.approx((1.0, 1.0))


def test_whoever_finds_nothing_scores_nothing() -> None:
    assert evaluate.evaluate(lambda _: [], 1)["all"] == (0.0, 0.0)


@pytest.mark.skipif(not film.FILM.exists(), reason="the film has not been drawn here")
def test_the_film_is_small_and_long_enough() -> None:
    assert film.FILM.stat().st_size <= 4_000_000
    with av.open(str(film.FILM)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.codec_context.name) == (832, 468, "h264")
        assert stream.average_rate == film.FPS
        assert float(stream.duration * stream.time_base) >= 60
