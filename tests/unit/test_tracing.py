"""What is traced and how it is passed on, whoever makes spans of it."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import tracing
from stream.ports import Record
from stream.tracing import Place
from tests.support.spans import Kept

HEX = "0123456789abcdef"
PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def ids(digits: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=digits, max_size=digits).filter(lambda text: int(text, 16) > 0)


@given(ids(32), ids(16))
def test_what_is_written_is_read(trace_id: str, span_id: str) -> None:
    place = Place(trace_id, span_id)
    assert tracing.read(place.header) == place


@given(st.binary(max_size=80) | st.text(HEX + "-", max_size=80).map(str.encode))
def test_no_header_is_an_error(header: bytes) -> None:
    place = tracing.read(header)
    assert place is None or place.header[2:52] == header[2:52]


@pytest.mark.parametrize(
    "header",
    [
        PARENT[:-2] + b"00",
        b"ff" + PARENT[2:],
        PARENT.replace(b"4bf92f3577b34da6a3ce929d0e0e4736", b"0" * 32),
        PARENT.replace(b"00f067aa0ba902b7", b"0" * 16),
        PARENT.upper(),
        PARENT + b"1",
    ],
    ids=["not sampled", "version ff", "no trace", "no span", "upper case", "too long"],
)
def test_what_names_no_trace_that_is_kept_is_not_followed(header: bytes) -> None:
    with tracing.traced_by(Kept()):
        assert tracing.follow(header, "segment") == ()


def test_a_later_version_may_say_more() -> None:
    assert tracing.read(b"cc" + PARENT[2:] + b"-what-comes") == tracing.read(PARENT)


def test_without_a_tracer_nothing_is_traced_and_no_record_changes() -> None:
    record = Record("hall", b"", {"traceparent": PARENT})
    spans = tracing.follow(tracing.carried(record), "segment")
    with tracing.within(spans), tracing.span("decode"):
        tracing.tell(camera="hall")
        assert tracing.first("ingest", 1) == spans == tracing.begin("wait") == ()
        assert (tracing.trace_id(), tracing.exemplar(), tracing.header()) == (None, None, None)
        assert tracing.stamped(record) is record


def test_spans_lie_within_each_other_and_in_the_record() -> None:
    kept = Kept()
    with tracing.traced_by(kept):
        spans = tracing.first("ingest", 5)
        with tracing.within(spans):
            tracing.was("decode", 5, 7)
            with tracing.span("encode"):
                tracing.tell(quality=80)
            record = tracing.stamped(Record("hall", b"", {"a": b"b"}))
            assert tracing.exemplar() == {"trace_id": f"{1:032x}"}
        tracing.end(spans)
        assert tracing.current() == ()
        tracing.end(tracing.follow(tracing.carried(record), "segment"))
    ingest, decode, encode, segment = kept.spans
    assert record.headers == {"a": b"b", "traceparent": ingest.place.header}
    assert [each.parent for each in kept.spans] == [None, *[ingest.place] * 3]
    assert (decode.spans_us, encode.words) == ((5, 7), {"quality": 80})
    assert segment.place.trace_id == ingest.place.trace_id


def test_what_fails_is_told_and_goes_on() -> None:
    kept = Kept()
    with (
        tracing.traced_by(kept),
        suppress(ValueError),
        tracing.within(tracing.first("ingest", 5)),
        tracing.span("encode"),
    ):
        raise ValueError("no picture")
    assert kept.spans[1].failed == "ValueError: no picture"
    assert kept.spans[1].spans_us is not None


def test_work_for_several_frames_is_told_in_the_trace_of_each() -> None:
    kept = Kept()
    with tracing.traced_by(kept):
        both = tracing.first("segment", 1) + tracing.first("segment", 2)
        with tracing.within(both), tracing.span("network"):
            pass
    one, other, *networks = kept.spans
    assert [each.parent for each in networks] == [one.place, other.place]


async def test_tasks_side_by_side_are_each_in_their_own_trace() -> None:
    async def work(at_us: int) -> str | None:
        with tracing.within(tracing.first("segment", at_us)):
            await asyncio.sleep(0)
            return await asyncio.to_thread(tracing.trace_id)

    with tracing.traced_by(Kept()):
        assert await asyncio.gather(*map(work, range(3))) == [f"{n:032x}" for n in (1, 2, 3)]
