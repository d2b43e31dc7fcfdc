"""A picture meets its terminal and its tracks."""

import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.join import Join
from stream.types import Encoded, Frame, FrameId, Gap, Joined, ModelRef, Result, Tracks

MODEL = ModelRef("yard", "0" * 64, "f32")


def frame(seq: int, epoch: int = 1, camera: str = "hall") -> Frame:
    return Frame(FrameId(camera, epoch, seq), "live", (4, 6), seq, seq, Encoded(b""))


def result(seq: int, epoch: int = 1, camera: str = "hall") -> Result:
    return Result(camera, epoch, seq, seq, seq, (4, 6), MODEL, ())


def gap(first: int, last: int, epoch: int = 1) -> Gap:
    return Gap("hall", epoch, first, last, first, "stale")


def tracks(seq: int, epoch: int = 1) -> Tracks:
    return Tracks("hall", epoch, seq, seq, ())


def told(released: list[Joined]) -> list[tuple[int, int | None]]:
    return [(each.frame.id.seq, each.result.seq if each.result else None) for each in released]


@pytest.fixture
def join() -> Join:
    return Join(with_tracks=False)


def test_a_frame_waits_for_its_result(join: Join) -> None:
    assert join.add_frame(frame(0)) == []
    assert told(join.add_terminal(result(0))) == [(0, 0)]


def test_a_result_waits_for_its_frame(join: Join) -> None:
    assert join.add_terminal(result(0)) == []
    assert told(join.add_frame(frame(0))) == [(0, 0)]


def test_a_gap_releases_its_frames_without_a_result(join: Join) -> None:
    for seq in range(4):
        join.add_frame(frame(seq))
    assert told(join.add_terminal(gap(0, 2))) == [(0, None), (1, None), (2, None)]
    assert told(join.add_terminal(result(3))) == [(3, 3)]


def test_a_frame_that_a_later_terminal_overtook_goes_without_a_result(join: Join) -> None:
    join.add_frame(frame(0))
    join.add_frame(frame(1))
    assert told(join.add_terminal(result(1))) == [(0, None), (1, 1)]


def test_a_frame_that_comes_after_its_turn_has_passed_goes_at_once(join: Join) -> None:
    join.add_frame(frame(4))
    join.add_terminal(result(4))
    join.add_terminal(result(6))
    assert told(join.add_frame(frame(5))) == [(5, None)]
    assert told(join.add_frame(frame(6))) == [(6, 6)]


def test_repeats_are_ignored_and_the_first_terminal_wins(join: Join) -> None:
    join.add_frame(frame(0))
    join.add_terminal(result(0))
    assert join.add_frame(frame(0)) == []
    assert join.add_terminal(gap(0, 0)) == []
    assert told([*join.add_frame(frame(1)), *join.add_terminal(gap(0, 1))]) == [(1, None)]


def test_a_new_epoch_counts_from_zero(join: Join) -> None:
    join.add_frame(frame(9, epoch=1))
    join.add_frame(frame(0, epoch=2))
    assert told(join.add_terminal(result(9, epoch=1))) == [(9, 9)]
    assert told(join.add_terminal(result(0, epoch=2))) == [(0, 0)]


def test_cameras_do_not_wait_for_each_other(join: Join) -> None:
    join.add_frame(frame(0, camera="hall"))
    join.add_frame(frame(0, camera="yard"))
    (released,) = join.add_terminal(result(0, camera="yard"))
    assert released.frame.id.camera == "yard"


def test_over_the_limit_the_oldest_frame_goes_without_a_result() -> None:
    join = Join(with_tracks=False, limit=2)
    assert told([*join.add_frame(frame(0)), *join.add_frame(frame(1))]) == []
    assert told(join.add_frame(frame(2))) == [(0, None)]
    assert told(join.add_terminal(result(0))) == []
    assert told(join.add_terminal(result(1))) == [(1, 1)]


def test_terminals_without_frames_do_not_pile_up() -> None:
    join = Join(with_tracks=False, limit=2)
    for seq in range(5):
        join.add_terminal(result(seq))
    released = [pair for seq in range(5) for pair in join.add_frame(frame(seq))]
    assert told(released) == [(0, None), (1, None), (2, None), (3, 3), (4, 4)]


def test_with_tracks_a_result_waits_for_its_tracks_and_a_gap_does_not() -> None:
    join = Join(with_tracks=True)
    join.add_frame(frame(0))
    join.add_frame(frame(1))
    assert told(join.add_terminal(gap(0, 0))) == [(0, None)]
    assert join.add_terminal(result(1)) == []
    (released,) = join.add_tracks(tracks(1))
    assert (released.result, released.tracks) == (result(1), tracks(1))


def test_a_result_whose_tracks_were_overtaken_goes_without_them() -> None:
    join = Join(with_tracks=True)
    for seq in range(2):
        join.add_frame(frame(seq))
        join.add_terminal(result(seq))
    first, second = join.add_tracks(tracks(1))
    assert first.tracks is None
    assert second.tracks == tracks(1)


def test_the_rest_comes_out_with_what_is_known() -> None:
    join = Join(with_tracks=True)
    join.add_frame(frame(0))
    join.add_frame(frame(1))
    join.add_terminal(result(0))
    assert told(join.rest()) == [(0, 0), (1, None)]
    assert join.rest() == []


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 2**32))
def test_whatever_comes_first_each_frame_goes_once_in_order_with_its_own(
    segmented: list[bool], seed: int
) -> None:
    join = Join(with_tracks=True)
    order = range(len(segmented))
    frames = [partial(join.add_frame, frame(seq)) for seq in order]
    terminals = [
        partial(join.add_terminal, result(seq) if segmented[seq] else gap(seq, seq))
        for seq in order
    ]
    identities = [partial(join.add_tracks, tracks(seq)) for seq in order if segmented[seq]]
    lines = [frames, terminals, identities]
    turns = [0] * len(frames) + [1] * len(terminals) + [2] * len(identities)
    random.Random(seed).shuffle(turns)
    released = [pair for turn in turns for pair in lines[turn].pop(0)()]
    released += join.rest()
    assert told(released) == [(seq, seq if ok else None) for seq, ok in enumerate(segmented)]
    assert all((each.tracks is not None) == (each.result is not None) for each in released)
