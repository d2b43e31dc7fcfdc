"""What comes of an alert is part of the trace of the frame that opened it, whoever goes on."""

from collections.abc import Mapping

from connectors.memory_state import MemoryStore
from stream import codec, tracing
from stream.errors import DeliveryError
from stream.ports import Record
from stream.tracing import Place
from stream.types import Alert, MaskMessage, Result
from stream.watching import Replay
from tests.support.spans import Kept, examples
from tests.unit.test_notify import Endpoint, Run, alert, in_virtual_time
from tests.unit.test_watch import (
    EXIT,
    RULES,
    STEPS,
    opened,
    read_all,
    result,
    run_loop,
    watched,
    written,
)

BACK = 80
WALK: list[MaskMessage] = [
    opened(),
    *STEPS,
    *(result(len(STEPS) + number, 10) for number in range(BACK)),
]
"""Somebody walks into the zone, and goes away again."""


def place(number: int) -> Place:
    return Place(f"{number + 1:032x}", "00f067aa0ba902b7")


def record(message: object, number: int) -> Record:
    """The record of a message whose frame has a trace of its own."""
    assert isinstance(message, Result | Alert)
    return tracing.carrying(codec.encode(message), place(number).header)


async def traces_of_changes(traced: Mapping[int, Place]) -> dict[str, str | None]:
    """The trace of each change of the one alert, where these results of the walk are traced."""
    records = [
        record(each, each.seq) if isinstance(each, Result) and each.seq in traced
        else codec.encode(each)
        for each in WALK
    ]  # fmt: skip
    found: dict[str, str | None] = {}
    kept = Kept()
    store = MemoryStore()
    half = len(records) // 2
    with tracing.traced_by(kept):
        for part in (records[:half], records[half:]):  # another process goes on with its state
            async with written(part) as transport:
                await run_loop(transport, store)
                for each in await read_all(transport, "alerts"):
                    change = codec.decode(each.record)
                    assert isinstance(change, Alert)
                    header = tracing.carried(each.record)
                    parent = None if header is None else tracing.read(header)
                    if change.rule == "leaves":
                        found[change.state] = parent and parent.trace_id
    return found


async def test_an_alert_keeps_the_trace_of_its_opening() -> None:
    everything = {each.seq: place(each.seq) for each in WALK if isinstance(each, Result)}
    found = await traces_of_changes(everything)
    assert found.keys() == {"opened", "resolved"}
    assert found["opened"] == found["resolved"] is not None


async def test_what_was_opened_untraced_stays_so() -> None:
    last = max(each.seq for each in WALK if isinstance(each, Result))
    assert await traces_of_changes({last: place(last)}) == {"opened": None, "resolved": None}


async def test_nothing_but_the_header_is_another_where_frames_are_traced() -> None:
    told = []
    for records in ([codec.encode(each) for each in WALK], [
        record(each, each.seq) if isinstance(each, Result) else codec.encode(each) for each in WALK
    ]):  # fmt: skip
        with tracing.traced_by(Kept()):
            async with written(records) as transport:
                await run_loop(transport, MemoryStore())
                told.append(
                    [bytes(each.record.value) for each in await read_all(transport, "alerts")]
                )
    assert told[0] == told[1]


async def test_the_frame_that_changed_an_alert_is_the_example_of_its_age() -> None:
    """Others of its batch are traced as well."""
    rules = Replay(RULES, [EXIT])
    changing = {at for at, each in enumerate(WALK) if rules.add(each) and isinstance(each, Result)}
    records = [
        record(each, at) if isinstance(each, Result) else codec.encode(each)
        for at, each in enumerate(WALK)
    ]
    with tracing.traced_by(Kept()):
        found = examples((await watched(records)).registry)
    assert found["frame_age_seconds", "alerted"] <= {place(at).trace_id for at in changing}
    for at in ("track", "rules", "publish"):
        assert found["stage_seconds", f"watch_{at}"]
    assert found["frame_age_seconds", "watched"]


@in_virtual_time
async def test_each_try_is_told_with_its_answer() -> None:
    kept = Kept()
    run = Run({"ops": Endpoint((DeliveryError("503"), "204 No Content"))})
    with tracing.traced_by(kept):
        await run.of(record(alert(), 7))
    notify, first, second = kept.spans
    assert (notify.name, notify.parent) == ("notify", place(7))
    assert (notify.words["alert"], notify.words["state"]) == ("a1", "opened")
    assert [each.parent for each in (first, second)] == [notify.place] * 2
    assert (first.words, first.failed) == ({"endpoint": "ops", "attempt": 1}, "503")
    assert second.words == {"endpoint": "ops", "attempt": 2, "answer": "204 No Content"}
    assert all(each.spans_us is not None for each in kept.spans)
    assert examples(run.metrics.registry) == {
        ("delivery_seconds", "ops"): {place(7).trace_id},
        ("delivered_age_seconds", "ops"): {place(7).trace_id},
    }


@in_virtual_time
async def test_who_takes_over_goes_on_in_the_same_trace() -> None:
    kept = Kept()
    first = Run({"ops": Endpoint()})
    with tracing.traced_by(kept):
        await first.of(record(alert(), 7))
        (pending, _) = await first.statuses()
        await Run({"ops": Endpoint()}).of(history=[pending])
    notify, _, again = kept.spans
    assert (again.name, again.parent) == ("deliver", notify.place)
