"""Whether frames of a camera are skipped in earnest: told once, and once when it is over."""

import logging
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.ports import View
from stream.skipping import MOST_PART, Skipped, Skipping, Skips
from stream.stages import Spent, untold
from stream.types import GapReason, Instance
from tests.support.build import frame, gap
from tests.support.clock import START_US, VirtualClock
from tests.support.models import BrightModel
from tests.support.rules import alarms
from tests.support.segmenting import Bench, Sent

S = 1_000_000
FPS = 10


def watched(*parts: float, reason: GapReason = "stale") -> Skipping:
    """One that saw, second by second, such a part of ten frames skipped."""
    skipping = Skipping()
    for second, part in enumerate(parts):
        skipped = round(part * FPS)
        skipping.ended(second * S, FPS - skipped, None)
        if skipped:
            skipping.ended(second * S, skipped, reason)
    return skipping


def told(*parts: float) -> list[tuple[int, str]]:
    """What is said, and in which second."""
    skips, said = Skips(), []
    for second, part in enumerate(parts):
        for number in range(FPS):
            reason: GapReason | None = "stale" if number < part * FPS else None
            if (news := skips.ended("hall", second * S + number * S // FPS, 1, reason)) is not None:
                said.append((second, news.words))
    return said


def test_the_share_and_the_main_reason_are_those_of_the_last_ten_seconds() -> None:
    skipping = watched(*[1.0] * 20, *[0.3] * 10)
    assert skipping.found(29 * S) == Skipped(0.3, "stale")
    skipping.ended(29 * S, 500, "overflow")
    assert skipping.found(29 * S) == Skipped(530 / 600, "overflow")


def test_what_cannot_be_handled_is_not_skipped() -> None:
    assert watched(*[0.5] * 20, reason="dead_letter").found(19 * S) is None
    assert watched(*[0.5] * 20, reason="quarantined").found(19 * S) is None


def test_a_hiccup_is_not_in_earnest() -> None:
    assert watched(*[0] * 15, 1.0, 1.0, *[0] * 3).found(19 * S) is None


def test_the_first_ten_seconds_do_not_count() -> None:
    assert watched(*[1.0] * 9).found(9 * S) is None
    assert watched(*[1.0] * 11).found(10 * S) == Skipped(1, "stale")


def test_one_frame_in_two_hundred_is_not_in_earnest() -> None:
    skipping = Skipping()
    for second in range(30):
        skipping.ended(second * S, 199, None)
        skipping.ended(second * S, 1, "stale")
    assert skipping.found(29 * S) is None


def test_a_camera_of_which_nothing_comes_skips_nothing() -> None:
    skipping = watched(*[0.5] * 20)
    assert skipping.found(20 * S) is not None
    assert skipping.found(30 * S) is None
    skipping.ended(31 * S, 5, "stale")
    assert skipping.found(31 * S) is None


def test_it_is_said_once_when_it_begins_and_once_when_it_is_over() -> None:
    begins, ends = told(*[0.0] * 10, *[0.4] * 30, *[0.0] * 30)
    assert (begins[0], ends[0]) == (12, 49)
    assert re.fullmatch(
        r"camera hall: \d+% of its frames are skipped, most as stale: they come faster .*",
        begins[1],
    )
    assert ends[1] == "camera hall: no frame was skipped for 10 s"


def test_it_is_not_said_again_while_it_comes_and_goes() -> None:
    assert len(told(*[0.0] * 10, *([0.4] * 5 + [0.0] * 5) * 10)) == 1


def test_each_camera_is_told_of_for_itself() -> None:
    skips = Skips()
    for second in range(10):
        assert skips.ended("hall", second * S, 5, "stale") is None
        assert skips.ended("yard", second * S, 5) is None
    assert skips.ended("hall", 10 * S, 5, "stale") is not None
    assert skips.ended("yard", 10 * S, 5) is None


@given(st.lists(st.floats(0, 1), min_size=20, max_size=40))
def test_news_come_in_turns_and_begin_with_skipping(parts: list[float]) -> None:
    overs = ["no frame was skipped" in words for _, words in told(*parts)]
    assert overs == [number % 2 == 1 for number in range(len(overs))]


class HalfASecond(BrightModel):
    """Takes so long for each view, on a clock where nothing else takes any time."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        self.clock.advance(0.5)
        return await super().segment(batch, spent)


@pytest.mark.parametrize("reason", ["stale", "overflow"])
async def test_segment_logs_it_whether_it_skips_itself_or_ingest_told_of_it(
    caplog: pytest.LogCaptureFixture, reason: GapReason
) -> None:
    clock = VirtualClock()

    def skipped(seq: int) -> Sent:
        if reason == "overflow":
            return gap(seq, seq, "overflow")
        return frame(seq, mode="live", time_us=START_US - 9 * S)

    answered = [frame(2 * number, mode="live", time_us=START_US + 99 * S) for number in range(60)]
    sent = [each for one in answered[:30] for each in (one, skipped(one.id.seq + 1))]
    with caplog.at_level(logging.INFO, "stream.segment"):
        await Bench(clock, HalfASecond(clock)).masks(*sent, *answered[30:])
    begins, ends = caplog.records
    assert (begins.levelname, ends.levelname) == ("WARNING", "INFO")
    assert re.match(
        f"camera hall: 5\\d% of its frames are skipped, most as {reason}", begins.message
    )
    assert "lower the fps" in begins.message
    assert ends.message == "camera hall: no frame was skipped for 10 s"


def test_it_is_in_earnest_where_the_alarm_fires() -> None:
    (rule,) = [each for each in alarms() if each["alert"] == "MaskstreamFramesSkipped"]
    assert rule["expr"].endswith(f"> {MOST_PART}")
