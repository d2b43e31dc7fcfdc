"""What consumers of masks read: each frame's terminal, once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import codec
from stream.errors import SchemaError, UnsupportedVersionError
from stream.reading import MaskReader
from stream.types import Gap, MaskMessage, Result
from stream.watermark import Watermark
from tests.support.build import closed, gap, health, opened, result
from tests.support.clock import START_US


def read(reader: MaskReader, message: MaskMessage) -> MaskMessage | None:
    record = codec.encode(message)
    return reader.read(bytes(record.value), list(record.headers.items()))


def test_what_comes_again_is_nothing_new() -> None:
    reader = MaskReader()
    came: list[MaskMessage] = [opened(), result(0), result(1), closed(2)]
    assert [read(reader, each) for each in came] == came
    assert [read(reader, each) for each in came] == [None] * 4


def test_of_a_gap_that_overlaps_the_new_part_counts() -> None:
    reader = MaskReader()
    assert read(reader, result(0)) == result(0)
    assert read(reader, gap(0, 4, "stale")) == gap(1, 4, "stale")
    assert read(reader, gap(2, 3, "stale")) is None


def test_a_lower_epoch_is_a_forgotten_process() -> None:
    reader = MaskReader()
    assert read(reader, result(3, epoch=2)) == result(3, epoch=2)
    assert read(reader, result(9, epoch=1)) is None
    assert read(reader, result(0, epoch=3)) == result(0, epoch=3)


def test_how_a_camera_is_comes_once_also_behind_the_close_of_its_epoch() -> None:
    reader = MaskReader()
    frozen, lost, still_lost = (
        health(0, "frozen", time_us=START_US),
        health(1, time_us=START_US + 1),
        health(1, time_us=START_US + 2),
    )
    came: list[MaskMessage] = [opened(), frozen, result(0), closed(1), lost, still_lost]
    assert [read(reader, each) for each in came] == came
    assert [read(reader, each) for each in came] == [None] * 6
    assert read(reader, result(0, epoch=2)) == result(0, epoch=2)
    assert read(reader, health(1, time_us=START_US + 9)) is None


def test_a_camera_that_was_never_there_may_come_later() -> None:
    reader = MaskReader()
    came: list[MaskMessage] = [health(0), opened(epoch=2), result(0, epoch=2)]
    assert [read(reader, each) for each in came] == came


def test_a_reader_goes_on_from_marks_that_were_kept() -> None:
    reader = MaskReader()
    read(reader, result(4))
    again = MaskReader(reader.marks)
    assert again.marks == {"hall": Watermark(1, 5)}
    assert read(again, result(4)) is None
    assert read(again, result(5)) == result(5)


def test_what_is_no_message_of_masks_says_so() -> None:
    reader = MaskReader()
    with pytest.raises(SchemaError):
        reader.read(b"?", {})
    with pytest.raises(UnsupportedVersionError):
        reader.read(b"{}", {"ce_type": b"maskstream.result.v9"})


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), max_size=30))
def test_every_frame_has_one_terminal_whatever_comes_again(ranges: list[tuple[int, int]]) -> None:
    reader = MaskReader()
    seen: list[int] = []
    for first, length in ranges:
        message = result(first) if not length else gap(first, first + length, "stale")
        new = read(reader, message)
        if isinstance(new, Result):
            seen.append(new.seq)
        elif isinstance(new, Gap):
            seen += range(new.first, new.last + 1)
    assert seen == sorted(set(seen))
