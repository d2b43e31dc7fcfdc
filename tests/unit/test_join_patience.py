"""A picture that is shown now does not wait for those who are away, and takes bounded memory."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stream.join import FILE_US, Join
from stream.types import Encoded, Frame, FrameId, Joined, Mode, ModelRef, Result, Tracks

MODEL = ModelRef("yard", "0" * 64, "f32")
LIVE_US = 2_000_000
SECOND_US = 1_000_000
MOST_BYTES = 1000
MODES = st.sampled_from(["live", "archive"])


def frame(seq: int, camera: str = "hall", mode: Mode = "live", size: int = 0) -> Frame:
    return Frame(FrameId(camera, 1, seq), mode, (4, 6), seq, seq, Encoded(bytes(size)))


def result(seq: int, camera: str = "hall") -> Result:
    return Result(camera, 1, seq, seq, seq, (4, 6), MODEL, ())


def tracks(seq: int, camera: str = "hall") -> Tracks:
    return Tracks(camera, 1, seq, seq, ())


@dataclass
class Watched:
    """A join, its time, and what came out of it: frame, result and tracks by number."""

    join: Join = field(default_factory=lambda: Join(with_tracks=True))
    now_us: int = 0
    out: list[tuple[int, int | None, int | None]] = field(default_factory=list)

    def take(self, released: list[Joined]) -> None:
        for each in released:
            result, tracks = each.result, each.tracks
            said = (result.seq if result else None, tracks.seq if tracks else None)
            self.out.append((each.frame.id.seq, *said))

    def wait(self, us: int) -> None:
        self.now_us += us
        self.take(self.join.lapse(self.now_us, LIVE_US))


def test_a_live_frame_is_shown_without_a_result_after_a_while() -> None:
    watched = Watched()
    watched.take(watched.join.add_frame(frame(0)))
    watched.wait(LIVE_US - 1)
    assert watched.out == []
    watched.wait(1)
    assert watched.out == [(0, None, None)]


def test_while_segment_is_away_each_frame_goes_at_once() -> None:
    watched = Watched()
    for seq in range(30):
        watched.take(watched.join.add_frame(frame(seq)))
        watched.wait(SECOND_US // 5)
    assert [seq for seq, *_ in watched.out] == list(range(30))
    assert watched.join.size_bytes == 0


def test_with_masks_and_without_identities_where_watch_is_away() -> None:
    watched = Watched()
    for seq in range(30):
        watched.take(watched.join.add_frame(frame(seq)))
        watched.take(watched.join.add_terminal(result(seq)))
        watched.wait(SECOND_US // 5)
    assert watched.out == [(seq, seq, None) for seq in range(30)]


def test_who_catches_up_is_waited_for_again_once_it_is_there() -> None:
    watched = Watched()
    for seq in range(10):
        watched.take(watched.join.add_frame(frame(seq)))
    watched.wait(LIVE_US)
    for seq in range(9):  # of before: nobody waits for what it says of the newest
        watched.take(watched.join.add_terminal(result(seq)))
        watched.take(watched.join.add_frame(frame(10 + seq)))
    assert watched.out == [(seq, None, None) for seq in range(19)]
    watched.take(watched.join.add_terminal(result(18)))
    watched.take(watched.join.add_frame(frame(19)))
    assert len(watched.out) == 19
    watched.take(watched.join.add_terminal(result(19)))
    watched.take(watched.join.add_tracks(tracks(19)))
    assert watched.out[-1] == (19, 19, 19)


def test_a_file_is_waited_for_while_something_is_said_of_it() -> None:
    watched = Watched()
    for seq in range(100):
        watched.take(watched.join.add_frame(frame(seq, mode="archive")))
    for seq in range(50):
        watched.wait(FILE_US - 1)
        watched.take(watched.join.add_terminal(result(seq)))
        watched.take(watched.join.add_tracks(tracks(seq)))
    assert watched.out == [(seq, seq, seq) for seq in range(50)]
    watched.wait(FILE_US)
    assert watched.out[50:] == [(seq, None, None) for seq in range(50, 100)]


def test_where_memory_is_short_what_is_left_still_meets_its_result() -> None:
    watched = Watched(Join(with_tracks=True, most_bytes=MOST_BYTES))
    for seq in range(64):
        watched.take(watched.join.add_frame(frame(seq, mode="archive", size=100)))
    for seq in range(64):
        watched.take(watched.join.add_terminal(result(seq)))
        watched.take(watched.join.add_tracks(tracks(seq)))
    assert 5 <= len(watched.out) <= 10
    assert all(seq == of_result == of_tracks for seq, of_result, of_tracks in watched.out)


def test_a_camera_that_is_forgotten_leaves_nothing() -> None:
    join = Join(with_tracks=True)
    join.add_frame(frame(0, size=100))
    join.add_frame(frame(0, "yard", size=10))
    join.forget("hall")
    assert join.cameras == ("yard",)
    assert join.size_bytes == 10
    assert [each.frame.id.camera for each in join.lapse(LIVE_US, LIVE_US)] == ["yard"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400)), max_size=200))
def test_pictures_that_wait_take_no_more_than_they_may(shown: list[tuple[str, int]]) -> None:
    join = Join(with_tracks=True, most_bytes=MOST_BYTES)
    newest: dict[str, int] = {}
    for seq, (camera, size) in enumerate(shown):
        join.add_frame(frame(seq, camera, size=size))
        newest[camera] = seq
        one_of_each = 400 * len(newest)
        assert join.size_bytes <= max(MOST_BYTES, one_of_each)
    left = {each.frame.id.camera: each.frame.id.seq for each in join.rest()}
    assert left == newest


class Joining(RuleBasedStateMachine):
    """Whatever comes, and whoever is away: a live camera and a file, of which segment and watch
    tell in order, leaving some out. Pictures of the file take memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self.join = Join(with_tracks=True, most_bytes=MOST_BYTES)
        self.now_us = 0
        self.came_us: dict[Mode, list[int]] = {"live": [], "archive": []}
        self.results: dict[Mode, list[int]] = {"live": [], "archive": []}
        self.tracks: dict[Mode, list[int]] = {"live": [], "archive": []}
        self.newest_out: dict[str, int] = {"live": -1, "archive": -1}

    @rule(mode=MODES, size=st.integers(0, 400))
    def picture(self, mode: Mode, size: int) -> None:
        seq = len(self.came_us[mode])
        self.came_us[mode].append(self.now_us)
        taken = size if mode == "archive" else 0
        self.take(self.join.add_frame(frame(seq, mode, mode, taken)))

    @rule(mode=MODES, left_out=st.integers(0, 2))
    def segmented(self, mode: Mode, left_out: int) -> None:
        seq = max(self.results[mode], default=-1) + 1 + left_out
        self.results[mode].append(seq)
        self.take(self.join.add_terminal(result(seq, mode)))

    @rule(mode=MODES, left_out=st.integers(0, 1))
    def watched(self, mode: Mode, left_out: int) -> None:
        last = max(self.tracks[mode], default=-1)
        for seq in [seq for seq in self.results[mode] if seq > last][left_out : left_out + 1]:
            self.tracks[mode].append(seq)
            self.take(self.join.add_tracks(tracks(seq, mode)))

    @rule(us=st.integers(1, FILE_US))
    def time_goes_on(self, us: int) -> None:
        self.now_us += us
        self.take(self.join.lapse(self.now_us, LIVE_US))
        waiting = self.came_us["live"][self.newest_out["live"] + 1 :]
        assert all(self.now_us - came_us < LIVE_US for came_us in waiting)

    @invariant()
    def memory_is_bounded(self) -> None:
        assert self.join.size_bytes <= MOST_BYTES

    def teardown(self) -> None:
        self.take(self.join.rest())
        newest = [each for each, came_us in self.came_us.items() if came_us]
        assert all(self.newest_out[each] == len(self.came_us[each]) - 1 for each in newest)

    def take(self, released: list[Joined]) -> None:
        """Each frame once and in order, with its own, and with all that was said of it."""
        for each in released:
            mode, seq = each.frame.mode, each.frame.id.seq
            assert seq > self.newest_out[mode]
            self.newest_out[mode] = seq
            assert each.result == (result(seq, mode) if seq in self.results[mode] else None)
            assert each.tracks == (tracks(seq, mode) if seq in self.tracks[mode] else None)


TestJoining = Joining.TestCase
TestJoining.settings = settings(max_examples=40)
