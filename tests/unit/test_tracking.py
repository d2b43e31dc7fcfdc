"""Identities: who keeps theirs, and when it is forgotten."""

import random
from collections.abc import Iterable
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from stream.masks import Mask
from stream.tracking.association import assigned, pairs
from stream.tracking.identities import Identities, track
from stream.tracking.motion import Motion, begin, correct, predict
from stream.types import Box, Instance, ModelRef, Result, Size, Track
from tests.support.states import again

SIZE = (480, 640)
MODEL = ModelRef("yard", "0" * 64, "f32")


def box(x: float, y: float = 200, width: float = 60, height: float = 160) -> Box:
    return (x, y, x + width, y + height)


def instance(where: Box, score: float = 0.9, label: str = "person", size: Size = SIZE) -> Instance:
    left, top, right, bottom = np.clip(where, 0, (size[1], size[0]) * 2).astype(int)
    pixels = np.ones((max(bottom - top, 0), max(right - left, 0)), bool)
    return Instance(label, score, where, Mask.from_bitmap(size, pixels, int(left), int(top)))


def result(
    time_s: float, *instances: Instance, seq: int = 0, epoch: int = 1, size: Size = SIZE
) -> Result:
    time_us = round(time_s * 1e6)
    return Result("yard", epoch, seq, time_us, time_us, size, MODEL, instances)


def follow(results: Iterable[Result]) -> list[tuple[Track, ...]]:
    state, seen = Identities(), []
    for one in results:
        state, tracks = track(state, one)
        seen.append(tracks)
    return seen


def ids(tracks: Iterable[Track]) -> list[str]:
    return [one.id for one in tracks]


def test_an_identity_is_the_frame_and_the_instance_of_its_birth() -> None:
    clear, also = instance(box(100)), instance(box(400))
    seen = follow([result(0.0, clear, seq=7), result(0.1, also, clear, seq=8)])
    assert ids(seen[0]) == ["yard/1/7/0"]
    assert ids(seen[1]) == ["yard/1/8/0", "yard/1/7/0"]


def test_a_track_says_where_its_instance_is_and_where_it_stands() -> None:
    ((found,),) = follow([result(0.0, instance(box(100)))])
    assert (found.label, found.score, found.box, found.instance) == ("person", 0.9, box(100), 0)
    assert found.contact[1] == pytest.approx(360, abs=1)
    assert found.contact[0] == pytest.approx(130, abs=1)


def test_an_unclear_instance_is_reported_from_its_second_result_on() -> None:
    seen = follow(result(0.1 * n, instance(box(100), score=0.3), seq=n) for n in range(3))
    assert [ids(tracks) for tracks in seen] == [[], ["yard/1/0/0"], ["yard/1/0/0"]]


def test_an_unclear_instance_that_does_not_come_again_never_was() -> None:
    seen = follow(
        [
            result(0.0, instance(box(100), score=0.3)),
            result(0.1, seq=1),
            result(0.2, instance(box(100), score=0.3), seq=2),
        ]
    )
    assert seen == [(), (), ()]


def test_somebody_half_hidden_keeps_their_identity() -> None:
    scores = (0.9, 0.9, 0.3, 0.26, 0.3, 0.9)
    seen = follow(
        result(0.1 * n, instance(box(100 + 5 * n), score), seq=n) for n, score in enumerate(scores)
    )
    assert {one.id for tracks in seen for one in tracks} == {"yard/1/0/0"}


def test_identities_never_pass_from_one_label_to_another() -> None:
    seen = follow(
        [
            result(0.0, instance(box(100), label="person")),
            result(0.1, instance(box(100), label="dog"), seq=1),
        ]
    )
    assert ids(seen[1]) == ["yard/1/1/0"]


@pytest.mark.parametrize("fps", [1, 2, 5, 10, 30])
def test_a_walker_keeps_one_identity_at_any_frame_rate(fps: int) -> None:
    """150 px a second, for a height of 160 px: a brisk walk."""
    seen = follow(
        result(n / fps, instance(box(20 + 150 * n / fps)), seq=n) for n in range(3 * fps + 1)
    )
    assert {one.id for tracks in seen for one in tracks} == {"yard/1/0/0"}


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from([5, 10, 25]))
def test_people_who_cross_keep_their_identities_at_uneven_times(seed: int, fps: int) -> None:
    """Up to two results in a row are missing, and times wobble by a third of a frame."""
    dice = random.Random(seed)
    times = [n / fps + dice.uniform(0, 0.3 / fps) for n in range(4 * fps)]
    kept = [
        (n, time) for n, time in enumerate(times) if n < fps or n % 3 == 0 or dice.random() > 0.3
    ]
    shots = [
        result(time, instance(box(40 + 120 * time)), instance(box(520 - 120 * time, y=210)), seq=n)
        for n, time in kept
    ]
    assert all(ids(tracks) == ["yard/1/0/0", "yard/1/0/1"] for tracks in follow(shots))


def test_somebody_who_is_found_twice_has_one_identity() -> None:
    """To the feet, and less surely to the knees: boxes that NMS keeps apart, masks that agree."""
    feet, knees = instance(box(100)), instance(box(100, height=130), score=0.6)
    shots = [result(0.1 * n, feet, *[knees][: n > 4], seq=n) for n in range(10)]
    assert {one.id for tracks in follow(shots) for one in tracks} == {"yard/1/0/0"}


def test_somebody_who_steps_out_from_behind_another_has_their_own() -> None:
    shots = [
        result(0.1 * n, instance(box(100)), instance(box(100 + 10 * n)), seq=n) for n in range(10)
    ]
    assert len({one.id for tracks in follow(shots) for one in tracks}) == 2


def test_who_is_hidden_for_two_seconds_is_found_again() -> None:
    shots = [result(0.1 * n, instance(box(100)), seq=n) for n in range(10)]
    shots += [result(0.1 * n, seq=n) for n in range(10, 30)]
    shots += [result(3.0, instance(box(105)), seq=30)]
    assert ids(follow(shots)[-1]) == ["yard/1/0/0"]


def test_who_is_hidden_for_four_seconds_is_somebody_new() -> None:
    shots = [result(0.1 * n, instance(box(100)), seq=n) for n in range(10)]
    shots += [result(0.1 * n, seq=n) for n in range(10, 50)]
    shots += [result(5.0, instance(box(100)), seq=50)]
    assert ids(follow(shots)[-1]) == ["yard/1/50/0"]


@pytest.mark.parametrize(
    ("silence_s", "known"),
    [(0.1, True), (5.0, True), (29.0, True), (31.0, False), (-1.0, False)],
)
def test_identities_live_on_into_a_new_epoch_for_half_a_minute(
    silence_s: float, known: bool
) -> None:
    before = [result(10 + 0.1 * n, instance(box(100)), seq=n) for n in range(10)]
    after = result(10.9 + silence_s, instance(box(102)), epoch=2)
    assert ids(follow([*before, after])[-1]) == ["yard/1/0/0" if known else "yard/2/0/0"]


def test_a_new_size_forgets_everybody() -> None:
    size = (720, 1280)
    before, after = instance(box(100)), instance(box(100), size=size)
    seen = follow([result(0.0, before), result(0.1, after, epoch=2, size=size)])
    assert ids(seen[1]) == ["yard/2/0/0"]


def test_a_flickering_picture_does_not_grow_the_state() -> None:
    dice, state = random.Random(1), Identities()
    for n in range(60):
        some = [instance(box(dice.uniform(0, 600), 10, 8, 8)) for _ in range(20)]
        state, _ = track(state, result(n / 30, *some, seq=n))
    assert len(state.known) <= 300 + 20


boxes = st.builds(box, st.floats(0, 500), st.floats(0, 300), st.floats(1, 140), st.floats(1, 180))
instances = st.builds(instance, boxes, st.floats(0.1, 1), st.sampled_from(["person", "forklift"]))
walks = st.lists(
    st.tuples(st.integers(0, 3_000_000), st.lists(instances, max_size=5)), min_size=1, max_size=8
)


def shots_of(walk: list[tuple[int, list[Instance]]]) -> list[Result]:
    times = np.cumsum([pause for pause, _ in walk]) / 1e6
    return [
        result(float(time), *some, seq=n)
        for n, (time, (_, some)) in enumerate(zip(times, walk, strict=True))
    ]


@given(walks, st.integers(0, 8))
def test_state_kept_as_bytes_has_the_same_future(
    walk: list[tuple[int, list[Instance]]], cut: int
) -> None:
    shots = shots_of(walk)
    state, seen = Identities(), []
    for n, shot in enumerate(shots):
        if n == cut:
            state = msgspec.json.decode(msgspec.json.encode(state), type=Identities)
            state = again(state)
        state, tracks = track(state, shot)
        seen.append(tracks)
    assert seen == follow(shots)


@given(walks)
def test_an_instance_has_one_identity_at_most_and_no_two_share_one(
    walk: list[tuple[int, list[Instance]]],
) -> None:
    for shot, tracks in zip(shots_of(walk), follow(shots_of(walk)), strict=True):
        assert len({one.id for one in tracks}) == len(tracks)
        assert all(one.instance < other.instance for one, other in pairwise(tracks))
        assert all(one.label == shot.instances[one.instance].label for one in tracks)


wild = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(wild, wild, wild, wild), max_size=4))
def test_no_finite_box_however_wild_does_harm(some: list[Box]) -> None:
    empty = Mask.from_edges(SIZE, [])
    wild_ones = tuple(Instance("person", 0.9, one, empty) for one in some)
    seen = follow([result(0.0, *wild_ones), result(0.1, *wild_ones, seq=1)])
    assert len(seen[1]) == len(some)
    assert np.isfinite([one.contact for one in seen[1]]).all()


@given(st.floats(0.01, 2), st.integers(2, 6))
def test_many_short_steps_lead_where_one_long_step_does(dt_s: float, parts: int) -> None:
    once = correct(begin(np.array([box(100)])), np.array([box(103)]))
    once.velocity[:, 3] = 0
    many = once
    for _ in range(parts):
        many = predict(many, dt_s / parts)
    assert predict(once, dt_s).fields == pytest.approx(many.fields, rel=1e-9, abs=1e-9)


def test_the_filter_learns_how_fast_a_box_moves() -> None:
    motion: Motion = begin(np.array([box(100)]))
    for n in range(1, 30):
        motion = correct(predict(motion, 0.1), np.array([box(100 + 12 * n)]))
    assert motion.velocity[0, 0] == pytest.approx(120, rel=0.05)


def test_pairs_have_the_largest_sum_and_not_the_best_first() -> None:
    closeness = np.array([[0.9, 0.8], [0.8, 0.1]])
    rows, columns = pairs(closeness, 0.05)
    assert list(zip(rows, columns, strict=True)) == [(0, 1), (1, 0)]


@given(st.integers(0, 12), st.integers(0, 12), st.randoms(use_true_random=False))
def test_what_is_assigned_has_the_largest_sum_there_is(
    n: int, m: int, chance: random.Random
) -> None:
    gain = np.array([[round(chance.random(), 1) for _ in range(m)] for _ in range(n)]).reshape(n, m)
    rows, columns = assigned(gain)
    assert len(rows) == len(set(rows)) == len(set(columns)) == min(n, m)
    assert rows.tolist() == sorted(rows)
    best = gain[linear_sum_assignment(gain, maximize=True)].sum()
    assert gain[rows, columns].sum() == pytest.approx(best)


def test_pairs_leave_alone_what_is_not_close_enough() -> None:
    rows, columns = pairs(np.array([[0.3, 0.0], [0.0, 0.1]]), 0.2)
    assert list(zip(rows, columns, strict=True)) == [(0, 0)]
