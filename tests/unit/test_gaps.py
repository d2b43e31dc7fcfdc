"""Gaps that touch are written as one."""

from hypothesis import given
from hypothesis import strategies as st

from stream import codec, gaps
from stream.ledger import Answer, Entry
from stream.ports import Delivery, Record
from stream.types import Gap, GapReason, Result
from tests.support import build
from tests.support.clock import START_US
from tests.support.segmenting import brief


def gap(seq: int, reason: GapReason = "stale", epoch: int = 1) -> Gap:
    return Gap("hall", epoch, seq, seq, START_US, reason)


def written(*answers: Answer) -> list[tuple[str, Record]]:
    delivery = Delivery("frames", Record("hall", b""), 0, "frames@0")
    return list(gaps.records(Entry(delivery, answer) for answer in answers))


def masks(*parts: Gap | Result) -> list[str]:
    """What is written for frames with these terminals, in a word each."""
    answers = [[("masks", part if isinstance(part, Gap) else codec.encode(part))] for part in parts]
    return brief(codec.decode(record) for _, record in written(*answers))


def test_gaps_that_touch_are_one() -> None:
    assert masks(gap(3), gap(4), gap(5)) == ["3-5 stale"]


def test_a_result_between_keeps_them_apart_and_in_order() -> None:
    assert masks(gap(0), build.result(1), gap(2), gap(3)) == ["0-0 stale", "1", "2-3 stale"]


def test_another_reason_another_epoch_and_a_hole_begin_a_gap_of_their_own() -> None:
    assert masks(gap(0), gap(1, "quarantined")) == ["0-0 stale", "1-1 quarantined"]
    assert masks(gap(0), gap(1, epoch=2)) == ["0-0 stale", "1-1 stale"]
    assert masks(gap(0), gap(2)) == ["0-0 stale", "2-2 stale"]


def test_a_dead_letter_stays_before_its_gap() -> None:
    letter = Record("hall", b"noise")
    found = written(
        [("masks", gap(0))], [("dead-letters", letter), ("masks", gap(1, "dead_letter"))]
    )
    assert [topic for topic, _ in found] == ["masks", "dead-letters", "masks"]


@given(st.lists(st.sampled_from(["stale", "quarantined", "result"]), max_size=40))
def test_every_frame_keeps_exactly_one_terminal(kinds: list[str]) -> None:
    parts = [
        build.result(seq) if kind == "result" else gap(seq, kind)  # type: ignore[arg-type]
        for seq, kind in enumerate(kinds)
    ]
    covered: list[str] = []
    for _, record in written(*([("masks", _encoded(part))] for part in parts)):
        message = codec.decode(record)
        if isinstance(message, Gap):
            covered += [message.reason] * (message.last - message.first + 1)
        else:
            covered.append("result")
    assert covered == kinds


def _encoded(part: Gap | Result) -> Gap | Record:
    return part if isinstance(part, Gap) else codec.encode(part)
