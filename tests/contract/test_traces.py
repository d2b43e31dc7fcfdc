"""Spans on their way to a collector, that takes them or does not."""

import logging

import pytest

from connectors.clock import SteadyClock
from connectors.tracing import open_tracer
from stream import tracing
from stream.traces_spec import TracesSpec
from tests.support.collector import collector
from tests.support.kafka import free_ports
from tests.support.waiting import eventually

CLOCK = SteadyClock()
FRAMES = 400


def spec(url: str, ratio: float = 1.0) -> TracesSpec:
    return TracesSpec(endpoint=url, ratio=ratio)


async def one_trace(url: str, ratio: float = 1.0, frames: int = 1) -> None:
    """The first span of each frame, and one within it."""
    async with open_tracer(spec(url, ratio), "ingest", CLOCK) as tracer:
        with tracing.traced_by(tracer):
            for _ in range(frames):
                spans = tracing.first("ingest", CLOCK.now_us())
                with tracing.within(spans), tracing.span("encode"):
                    tracing.tell(quality=80)
                tracing.end(spans)


async def test_spans_are_there_when_the_process_ends() -> None:
    with collector() as found:
        await one_trace(found.url + "/")
    outer, inner = found.of(found.spans[0].trace_id)
    assert (outer.role, outer.name, outer.parent) == ("ingest", "ingest", "")
    assert (inner.name, inner.parent, inner.words) == ("encode", outer.span_id, {"quality": 80})
    assert outer.began_ns <= inner.began_ns <= inner.ended_ns <= outer.ended_ns


async def test_a_part_of_the_frames_is_traced_and_each_of_them_whole() -> None:
    with collector() as found:
        await one_trace(found.url, ratio=0.25, frames=FRAMES)
    outer, inner = found.named("ingest"), found.named("encode")
    assert {each.parent for each in inner} == {each.span_id for each in outer}
    assert FRAMES // 8 < len(outer) < FRAMES // 2  # 9 standard deviations to either side
    # The sampler takes a trace by the lower half of its id, and so do others (W3C, level 2).
    assert all(int(each.trace_id[16:], 16) < 2**64 * 0.25 for each in outer)


async def test_a_collector_that_is_away_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    (port,) = free_ports(1)
    await one_trace(f"http://127.0.0.1:{port}", frames=FRAMES)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"traces cannot be sent to http://127.0.0.1:{port}/v1/")
    assert "refused" in record.getMessage()


async def test_one_that_comes_back_gets_what_is_new(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    caplog.set_level(logging.WARNING)
    with collector() as found:
        found.status = 400
        async with open_tracer(spec(found.url), "ingest", CLOCK) as tracer:
            with tracing.traced_by(tracer):
                for name, said in (("lost", "cannot be sent"), ("new", "sent again; at least 1 ")):
                    tracing.end(tracing.first(name, CLOCK.now_us()))
                    await eventually(lambda said=said: said in caplog.text, said)  # type: ignore[misc]
                    found.status = 200
    assert [each.name for each in found.spans] == ["new"]
    lost, _ = caplog.messages
    assert lost.endswith(": 400 Bad Request")


async def test_one_that_hangs_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    with collector() as found:
        found.may_answer.clear()
        await one_trace(found.url, frames=10 * FRAMES)  # more than wait in memory
    assert found.requests > 0
    assert "Queue full" not in caplog.text
