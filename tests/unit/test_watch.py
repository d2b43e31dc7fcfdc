"""Watching a camera: the pure step, the replay, and the loop on the memory transport."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from connectors.memory import MemoryTransport
from connectors.memory_state import MemoryStore
from stream import codec
from stream.audit import Audit
from stream.errors import ConfigError, EndOfStream, UnsupportedVersionError
from stream.masks import Mask
from stream.metrics import Metrics
from stream.ports import Delivery, Outbox, Record, State, Store
from stream.rules import AnyRule, Dwell, Health, Presence, Rule
from stream.specs import ZoneSpec
from stream.types import (
    Alert,
    CameraHealth,
    Condition,
    EpochClosed,
    EpochOpened,
    Gap,
    Instance,
    MaskMessage,
    ModelRef,
    Result,
    Tracks,
)
from stream.watch import TOPICS, Watch
from stream.watching import NOTHING, Plan, Plans, Watched, plans, replay, step
from tests.support.clock import START_US, VirtualClock
from tests.support.states import again, to_bytes

SIZE = (100, 200)
MODEL = ModelRef("yard", "0" * 64, "f32")
EXIT = ZoneSpec(id="exit", camera="yard", polygon=((0.8, 0), (1, 0), (1, 1), (0.8, 1)))
LEAVES = Presence(id="leaves", zone="exit", labels=("person",), frames=3, overlap=0.3, cooldown=1.0)
LOITERS = Dwell(id="loiters", zone="exit", labels=("person",), duration=1.0, overlap=0.3)
AILS = Health.model_validate(
    {"id": "ails", "conditions": ["lost", "black"], "for": "500ms", "resolve": "500ms"}
)
RULES = (LEAVES, LOITERS, AILS)
PLANS = plans(RULES, [EXIT])
PLAN = PLANS["yard"]
CORNER = ZoneSpec(id="corner", camera="yard", polygon=((0.9, 0), (1, 0), (1, 1), (0.9, 1)))
_OTHERS: list[dict[str, Any]] = [
    {"kind": "count", "at_least": 2, "for": "200ms", "resolve": "200ms"},
    {"kind": "absence", "for": "300ms", "resolve": 0},
    {"kind": "coverage", "at_least": 0.1, "for": 0, "ignore": ["corner"]},
    {
        "kind": "crossing",
        "zone": None,
        "camera": "yard",
        "line": [[0.5, 1], [0.5, 0]],
        "resolve": 0,
    },
    {"kind": "contact", "others": ["person"], "within": 0.1, "frames": 2},
    {"kind": "presence", "frames": 1, "score": 0.8, "stay": {"score": 0.3}},
    {"kind": "presence", "schedule": {"windows": [{"hours": "00:02-00:03"}]}},
]
OTHERS: tuple[AnyRule, ...] = tuple(
    TypeAdapter(Rule).validate_python({"id": f"other-{number}", "zone": "exit", **settings})
    for number, settings in enumerate(_OTHERS)
)
EVERY = (*RULES, *OTHERS)
"""Of each kind and each option one."""
ZONES = (EXIT, CORNER)


def somebody(x: int) -> Instance:
    right = min(x + 20, SIZE[1])
    mask = Mask.from_bitmap(SIZE, np.ones((40, right - x), bool), x, 30)
    return Instance("person", 0.9, (float(x), 30.0, float(right), 70.0), mask)


def result(seq: int, *xs: int, epoch: int = 1, camera: str = "yard") -> Result:
    time_us = epoch * 60_000_000 + seq * 100_000
    some = tuple(somebody(x) for x in xs)
    return Result(camera, epoch, seq, time_us, time_us, SIZE, MODEL, some)


def opened(epoch: int = 1) -> EpochOpened:
    return EpochOpened("yard", epoch, epoch * 60_000_000, "live", SIZE)


def health(
    seq: int, condition: Condition, is_on: bool = True, *, epoch: int = 1, late_us: int = 0
) -> CameraHealth:
    time_us = epoch * 60_000_000 + seq * 100_000 + late_us
    return CameraHealth("yard", epoch, seq, time_us, condition, is_on, time_us - 50_000, "so it is")


def gap(first: int, last: int, epoch: int = 1) -> Gap:
    return Gap("yard", epoch, first, last, epoch * 60_000_000 + last * 100_000, "stale")


def closed(frames: int, epoch: int = 1) -> EpochClosed:
    return EpochClosed("yard", epoch, epoch * 60_000_000 + frames * 100_000, frames, "ended")


def run(
    messages: Sequence[MaskMessage], plan: Plan = PLAN
) -> tuple[Watched, list[Tracks], list[Alert]]:
    state = Watched()
    tracks: list[Tracks] = []
    alerts: list[Alert] = []
    for message in messages:
        state, found, new = step(plan, state, message)
        tracks += [] if found is None else [found]
        alerts += new
    return state, tracks, alerts


STEPS = [result(seq, min(4 * seq, 170)) for seq in range(80)]
WALK: list[MaskMessage] = [opened(), *STEPS, closed(80)]
"""Somebody walks into the zone on the right and stays there."""


def test_each_result_says_who_is_where() -> None:
    _, tracks, _ = run(WALK)
    assert [one.seq for one in tracks] == list(range(80))
    assert {one.id for some in tracks for one in some.tracks} == {"yard/1/0/0"}
    assert tracks[0].tracks[0].zones == ()
    assert tracks[-1].tracks[0].zones == ("exit",)


def test_rules_are_judged_in_order() -> None:
    _, _, alerts = run(WALK)
    assert [(alert.rule, alert.state, alert.tracks) for alert in alerts] == [
        ("leaves", "opened", ("yard/1/0/0",)),
        ("loiters", "opened", ("yard/1/0/0",)),
    ]


def test_a_camera_that_no_rule_names_is_tracked() -> None:
    _, tracks, alerts = step(NOTHING, Watched(), result(0, 170))
    assert tracks is not None
    assert len(tracks.tracks) == 1
    assert alerts == ()


@pytest.mark.parametrize(
    ("before", "late"),
    [
        ([result(3)], result(3, 170)),
        ([result(3)], result(2, 170)),
        ([gap(0, 5)], result(5, 170)),
        ([result(5)], gap(0, 5)),
        ([opened(2)], result(9, 170)),
        ([result(0, epoch=2)], opened(1)),
        ([opened()], opened()),
        ([result(0)], opened()),
        ([opened(), closed(0)], closed(0)),
        ([result(5), closed(9)], result(6)),
        ([health(5, "black")], health(4, "black", False)),
        ([health(5, "black")], health(5, "black")),
        ([opened(2)], health(9, "lost")),
        ([closed(9), health(9, "lost", late_us=5)], health(9, "lost", late_us=4)),
    ],
)
def test_what_came_before_is_dropped_and_counted(
    before: list[MaskMessage], late: MaskMessage
) -> None:
    state, _, _ = run(before)
    after, tracks, alerts = step(PLAN, state, late)
    assert (tracks, alerts) == (None, ())
    assert after == msgspec.structs.replace(state, dropped=1)


def test_a_gap_that_begins_before_the_watermark_moves_it_to_its_end() -> None:
    state, _, _ = run([result(3), gap(0, 7)])
    assert (state.mark.next_seq, state.dropped) == (8, 0)


def test_only_results_change_what_is_known() -> None:
    known, _, _ = run(WALK[:40])
    state = known
    unseen: list[MaskMessage] = [gap(39, 50), closed(51), opened(2), gap(0, 900, epoch=2)]
    for message in unseen:
        state, tracks, alerts = step(PLAN, state, message)
        assert (tracks, alerts) == (None, ())
    assert (state.identities, state.rules) == (known.identities, known.rules)


def test_a_new_epoch_goes_on_with_the_same_people() -> None:
    after = msgspec.structs.replace(result(0, 170, epoch=2), time_us=STEPS[-1].time_us + 5_000_000)
    _, tracks, alerts = run([*WALK, opened(2), after])
    assert tracks[-1].tracks[0].id == "yard/1/0/0"
    assert [alert.state for alert in alerts] == ["opened", "opened"]


def test_a_rule_that_is_changed_leaves_no_alert_open() -> None:
    state, _, alerts = run(WALK[:60])
    strict = plans([LEAVES.model_copy(update={"overlap": 0.9})], [EXIT])["yard"]
    _, _, after = step(strict, state, result(59, 0))
    assert [(alert.id, alert.state) for alert in after] == [
        (alert.id, "resolved") for alert in alerts
    ]


def test_zones_follow_the_size_of_the_picture() -> None:
    large = (400, 800)
    mask = Mask.from_bitmap(large, np.ones((100, 40), bool), 700, 200)
    one = Instance("person", 0.9, (700, 200, 740, 300), mask)
    _, tracks, _ = step(PLAN, Watched(), Result("yard", 1, 0, 0, 0, large, MODEL, (one,)))
    assert tracks is not None
    assert tracks.tracks[0].zones == ("exit",)


def test_a_box_far_outside_of_the_picture_stands_at_its_border() -> None:
    nothing = Mask.from_edges(SIZE, [])
    one = Instance("person", 0.9, (-1e300, -1e300, 1e300, 1e300), nothing)
    _, tracks, _ = step(PLAN, Watched(), Result("yard", 1, 0, 0, 0, SIZE, MODEL, (one,)))
    assert tracks is not None
    assert tracks.tracks[0].zones == ()


def test_plans_name_what_a_rule_lacks() -> None:
    with pytest.raises(ConfigError, match="rule leaves: zone: given exit; allowed: door"):
        plans([LEAVES], [EXIT.model_copy(update={"id": "door"})])
    with pytest.raises(ConfigError, match="rule leaves: camera: needed where zone is not set"):
        plans([LEAVES.model_copy(update={"zone": None})], [])


def test_a_rule_without_a_zone_watches_the_whole_of_its_camera() -> None:
    anywhere = LEAVES.model_copy(update={"zone": None, "camera": "yard"})
    alerts = replay([anywhere], [], [result(seq, 10) for seq in range(3)])
    assert [(alert.state, alert.zone) for alert in alerts] == [("opened", None)]


@st.composite
def histories(draw: st.DrawFn) -> list[MaskMessage]:
    """Epochs of results, gaps and holes, with up to two people who come, walk and go, while the
    camera ails; at times also behind the close, where it is lost.
    """
    messages: list[MaskMessage] = []
    ails: dict[str, tuple[Condition, bool]] = {
        "M": ("moved", True), "m": ("moved", False), "D": ("black", True), "d": ("black", False),
        "f": ("lost", False),
    }  # fmt: skip
    for epoch in range(1, draw(st.integers(2, 4))):
        messages.append(opened(epoch))
        seq = 0
        for kind in draw(st.text("eeeeeeebbbbbttwvwvnn-hMmDdf", max_size=40)):
            people = {"e": (170,), "b": (168, 20), "t": (164, 185), "w": (96,), "v": (84,), "n": ()}
            if kind in ails:
                late_us = 1 + sum(isinstance(each, CameraHealth) for each in messages)
                messages.append(health(seq, *ails[kind], epoch=epoch, late_us=late_us))
                continue
            if kind in people:
                messages.append(result(seq, *people[kind], epoch=epoch))
            elif kind == "-":
                messages.append(gap(seq, seq + 2, epoch))
                seq += 2
            seq += 1
        messages.append(closed(seq, epoch))
        messages += (
            health(seq, "lost", epoch=epoch, late_us=1000 + number * 5_000_000)
            for number in range(draw(st.integers(0, 3)))
        )
    return messages


@given(histories(), st.lists(st.tuples(st.integers(0, 120), st.integers(1, 30)), max_size=5))
def test_redelivery_changes_no_alert(
    history: list[MaskMessage], repeats: list[tuple[int, int]]
) -> None:
    """Anywhere, what came last comes again; the alerts are the same, byte for byte."""
    messages = list(history)
    for at, length in sorted(repeats, reverse=True):
        messages[at:at] = history[max(at - length, 0) : at]
    once = [codec.to_json(alert) for alert in replay(EVERY, ZONES, history)]
    assert [codec.to_json(alert) for alert in replay(EVERY, ZONES, messages)] == once


@given(histories(), st.integers(0, 120))
def test_state_kept_as_bytes_has_the_same_future(history: list[MaskMessage], cut: int) -> None:
    plan = plans(EVERY, ZONES)["yard"]
    state, _, alerts = run(history[:cut], plan)
    state = again(state)
    for message in history[cut:]:
        state, _, new = step(plan, state, message)
        alerts += new
    whole, _, expected = run(history, plan)
    assert (state, alerts) == (whole, expected)


@given(histories())
def test_an_alert_only_ever_changes_with_a_result(history: list[MaskMessage]) -> None:
    """One about health also with what is told of that, and so does the end of a schedule."""
    results = {message.id for message in history if isinstance(message, Result)}
    times = {message.time_us for message in history if isinstance(message, Result)}
    told = {message.time_us for message in history if isinstance(message, CameraHealth)}
    changes = replay(EVERY, ZONES, history)
    assert {alert.time_us for alert in changes if alert.kind == "health"} <= times | told
    alerts = [
        alert
        for alert in changes
        if alert.kind != "health" and alert.detail != "its schedule ended"
    ]
    assert {alert.time_us for alert in alerts} <= times
    seen = [one.evidence for one in alerts if one.evidence is not None]
    assert {("yard", one.epoch, one.seq) for one in seen} <= results


@given(histories())
def test_each_alert_opens_once_and_ends_once_at_most(history: list[MaskMessage]) -> None:
    lives: dict[str, list[str]] = {}
    for alert in replay(EVERY, ZONES, history):
        lives.setdefault(alert.id, []).append(alert.state)
    for states in lives.values():
        assert states[0] == "opened"
        assert all(state == "updated" for state in states[1:-1])
        assert all(state != "resolved" for state, _ in pairwise(states))


# --- the loop -------------------------------------------------------------------------------


class CrashError(Exception):
    """What the tests break the outside with."""


async def read_all(transport: MemoryTransport, topic: str) -> list[Delivery]:
    found: list[Delivery] = []
    async with transport.inbox(topic, "reader") as inbox:
        while True:
            try:
                found += await inbox.receive(1000, 1.0)
            except EndOfStream:
                return found


@asynccontextmanager
async def written(records: Sequence[Record]) -> AsyncIterator[MemoryTransport]:
    """A transport whose masks are these records, and no more."""
    transport = MemoryTransport(capacity=10_000)
    async with transport.inbox("masks", "watch"), transport.outbox("masks") as outbox:
        for record in records:
            await outbox.send("masks", record)
    yield transport


def looping(
    outbox: Outbox, store: Store, metrics: Metrics, plans: Plans = PLANS, *, is_live: bool = True
) -> Watch:
    """The loop; cameras are live unless they are said to be files."""
    return Watch(outbox, store, plans, metrics, VirtualClock(), lambda _: is_live)


async def run_loop(
    transport: MemoryTransport, store: Store, metrics: Metrics | None = None
) -> None:
    async with transport.inbox("masks", "watch") as inbox, transport.outbox(*TOPICS) as outbox:
        await looping(outbox, store, metrics or Metrics()).run(inbox)


async def test_the_loop_writes_tracks_and_alerts_until_the_masks_end() -> None:
    async with written([codec.encode(message) for message in WALK]) as transport:
        metrics = Metrics()
        await run_loop(transport, MemoryStore(), metrics)
        tracks = [codec.decode(one.record) for one in await read_all(transport, "tracks")]
        alerts = [codec.decode(one.record) for one in await read_all(transport, "alerts")]
    _, expected_tracks, expected_alerts = run(WALK)
    assert tracks == expected_tracks
    assert alerts == expected_alerts
    labels = {"rule": "leaves", "state": "opened"}
    assert metrics.registry.get_sample_value("maskstream_alerts_total", labels) == 1


async def test_the_log_says_which_alerts_opened_and_resolved(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A line each, as they were sent; who joins an alert has none."""
    caplog.set_level(logging.INFO, "stream.watch")
    left = [result(seq) for seq in range(80, 120)]
    messages: list[MaskMessage] = [opened(), *STEPS, *left]
    async with written([codec.encode(message) for message in messages]) as transport:
        await run_loop(transport, MemoryStore())
    alerts = [alert for alert in run(messages)[2] if alert.state != "updated"]
    said = [record.getMessage() for record in caplog.records]
    assert [(line.split()[1], line.split()[2].rstrip(":")) for line in said] == [
        (alert.id, alert.state) for alert in alerts
    ]
    first, last = alerts[0], alerts[-1]
    what = "leaves (presence: person) in zone exit of camera yard"
    assert said[0] == f"alert {first.id} opened: {what}"
    lasted_s = (last.time_us - last.opened_us) / 1e6
    assert said[-1].startswith(f"alert {last.id} resolved after {lasted_s:.1f} s: ")


async def test_the_log_says_what_an_alert_says_in_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "stream.watch")
    gone = [health(0, "lost", late_us=1 + second * 1_000_000) for second in range(3)]
    messages: list[MaskMessage] = [opened(), *gone]
    async with written([codec.encode(message) for message in messages]) as transport:
        await run_loop(transport, MemoryStore())
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.getMessage().endswith(
        "opened: ails (health: lost) of camera yard: lost: so it is"
    )


async def test_what_is_no_message_of_masks_goes_to_dead_letters_and_costs_nothing_else() -> None:
    good = [codec.encode(message) for message in WALK]
    torn = replace(good[5], value=bytes(good[5].value)[:-9])
    alien = codec.encode(run(WALK)[1][0])
    astray = replace(good[7], key="hall")
    async with written([*good[:20], torn, alien, astray, *good[20:]]) as transport:
        metrics = Metrics()
        await run_loop(transport, MemoryStore(), metrics)
        dead = await read_all(transport, "dead-letters")
        tracks = await read_all(transport, "tracks")
    assert [one.record.value for one in dead] == [torn.value, alien.value, astray.value]
    assert [one.record.headers["dead_letter_reason"] for one in dead] == [
        b"invalid_result",
        b"schema_error",
        b"schema_error",
    ]
    assert len(tracks) == 80
    labels = {"topic": "masks", "reason": "schema_error"}
    assert metrics.registry.get_sample_value("maskstream_dead_letters_total", labels) == 2


async def test_a_newer_writer_stops_the_loop_without_a_commit() -> None:
    record = codec.encode(STEPS[0])
    newer = replace(record, headers={**record.headers, "ce_type": b"maskstream.result.v9"})
    async with written([record, newer]) as transport:
        with pytest.raises(UnsupportedVersionError):
            await run_loop(transport, MemoryStore())
        async with transport.inbox("masks", "watch") as inbox:
            assert len(await inbox.receive(10, 1.0)) == 2


async def test_duplicates_are_counted() -> None:
    records = [codec.encode(message) for message in [*WALK, *WALK[10:15]]]
    async with written(records) as transport:
        metrics = Metrics()
        await run_loop(transport, MemoryStore(), metrics)
        assert len(await read_all(transport, "tracks")) == 80
    count = metrics.registry.get_sample_value("maskstream_duplicates_total", {"camera": "yard"})
    assert count == 5


def figure(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"maskstream_{name}", labels)


async def watched(
    messages: Sequence[MaskMessage | Record],
    store: Store | None = None,
    cut_at: int | None = None,
    *,
    is_live: bool = True,
) -> Metrics:
    """What is measured of ``messages``; before that at ``cut_at`` some were lost, unread."""
    metrics, kept = Metrics(), store or MemoryStore()
    records = [each if isinstance(each, Record) else codec.encode(each) for each in messages]
    batch = [
        Delivery("masks", record, at, f"masks@{at}", follows_loss=at == cut_at)
        for at, record in enumerate(records)
    ]
    async with MemoryTransport(capacity=1000).outbox(*TOPICS) as outbox:
        await looping(outbox, kept, metrics, is_live=is_live).batch(batch)
    return metrics


@given(lost=st.sets(st.integers(0, 79)), gaps=st.sets(st.integers(0, 79)))
async def test_frames_that_nothing_tells_of_are_counted_as_the_audit_does(
    lost: set[int], gaps: set[int]
) -> None:
    told: list[MaskMessage] = [
        gap(seq, seq) if seq in gaps else result(seq) for seq in range(80) if seq not in lost
    ]
    messages = [opened(), *told, closed(80)]
    audit = Audit()
    for message in messages:
        audit.add(message)
    metrics = await watched([opened(0), *messages])  # the camera is known
    assert figure(metrics, "frames_missing_total", camera="yard") == audit.missing == len(lost)


async def test_what_is_not_kept_any_more_is_not_missing() -> None:
    """A new reader begins anywhere, and one that was away too long goes on behind what is gone."""
    for begin in (result(40), gap(40, 41), health(40, "black"), closed(40)):
        metrics = await watched([begin, *(result(seq) for seq in range(42, 45))])
        expected = {"gap": 0, "result": 1, "camera-health": 2, "epoch-closed": 0}
        missing = figure(metrics, "frames_missing_total", camera="yard")
        assert missing == expected[str(begin.__struct_config__.tag)]
    metrics = await watched([opened(), result(0), result(50), result(51)], cut_at=2)
    assert figure(metrics, "frames_missing_total", camera="yard") == 0


async def test_open_alerts_are_told_after_a_restart_and_gone_with_their_cameras() -> None:
    store, half = MemoryStore(), WALK[:75]
    metrics = await watched(half, store)
    assert figure(metrics, "alerts_open", rule="leaves") == 1
    assert figure(metrics, "alerts_open", rule="ails") == 0
    metrics = await watched(WALK[75:77], store)  # in another process
    assert figure(metrics, "alerts_open", rule="leaves") == 1
    await metrics.open_alerts.forget()
    assert figure(metrics, "alerts_open", rule="leaves") is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.dictionaries(st.sampled_from(["in", "out"]), st.integers(0, 3)),
        )
    )
)
def test_open_alerts_are_those_that_were_told_last_of_each_camera(
    told: list[tuple[str, dict[str, int]]],
) -> None:
    metrics = Metrics()
    for camera, by_rule in told:
        metrics.open_alerts.tell(camera, by_rule)
    last = dict(told).values()
    for rule in ("in", "out"):
        counts = [by_rule[rule] for by_rule in last if rule in by_rule]
        assert figure(metrics, "alerts_open", rule=rule) == (sum(counts) if counts else None)


class Written:
    """An inbox with some messages, in one batch; keeps what is to let go before a handover."""

    is_assigned = True

    def __init__(self, messages: Sequence[MaskMessage]) -> None:
        self._left = [codec.encode(message) for message in messages]
        self.let_go: list[Callable[[], Awaitable[None]]] = []

    def owns(self, key: str) -> bool:
        return True

    def before_handover(self, let_go: Callable[[], Awaitable[None]]) -> None:
        self.let_go.append(let_go)

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        if not self._left:
            raise EndOfStream
        records, self._left = self._left, []
        return [Delivery("masks", record, at, f"masks@{at}") for at, record in enumerate(records)]

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        pass


async def test_members_that_change_let_go_of_open_alerts() -> None:
    metrics, inbox = Metrics(), Written([])
    metrics.open_alerts.tell("yard", {"leaves": 1})
    async with MemoryTransport().outbox(*TOPICS) as outbox:
        await looping(outbox, MemoryStore(), metrics).run(inbox)
    for each in inbox.let_go:
        await each()
    assert figure(metrics, "alerts_open", rule="leaves") is None


@pytest.mark.parametrize(("is_ours", "told"), [(True, 1.0), (False, None)])
async def test_a_camera_that_moves_while_its_batch_is_under_way_is_told_no_more(
    is_ours: bool, told: float | None
) -> None:
    """The handover lets go first, and waits for the batch only then."""
    metrics = Metrics()

    class In(Written):
        def owns(self, key: str) -> bool:
            return is_ours

    async with MemoryTransport(capacity=1000).outbox(*TOPICS) as outbox:
        await looping(outbox, MemoryStore(), metrics).run(In(WALK[:75]))
    assert figure(metrics, "alerts_open", rule="leaves") == told


async def test_the_time_of_each_step_and_the_age_of_frames_are_told() -> None:
    metrics = await watched([*WALK, health(80, "black")])
    for stage, count in (("track", 80), ("rules", 80), ("publish", 1)):
        assert figure(metrics, "stage_seconds_count", stage=f"watch_{stage}") == count
    assert figure(metrics, "frame_age_seconds_count", at="watched") == 80
    alerts = run(WALK)[2]
    assert figure(metrics, "frame_age_seconds_count", at="alerted") == len(alerts)
    (first,) = [each for each in WALK if isinstance(each, Result) and each.seq == 0]
    age_s = (START_US - first.arrived_us) / 1e6
    total = figure(metrics, "frame_age_seconds_sum", at="watched")
    assert total == pytest.approx(80 * age_s - sum(range(80)) / 10)


async def test_the_age_of_a_files_frames_is_no_latency_but_its_steps_take_time() -> None:
    metrics = await watched(WALK, is_live=False)
    assert figure(metrics, "stage_seconds_count", stage="watch_rules") == 80
    assert figure(metrics, "alerts_total", rule="leaves", state="opened")
    for at in ("watched", "alerted"):
        assert figure(metrics, "frame_age_seconds_count", at=at) is None


@pytest.mark.parametrize(
    "damaged", [b"\xc1 damaged", msgspec.msgpack.encode({"identities": {"motion": b"\0" * 7}})]
)
async def test_a_camera_whose_kept_state_is_damaged_begins_anew(damaged: bytes) -> None:
    store = MemoryStore()
    await store.put({"watch/yard": State(damaged)})
    async with written([codec.encode(message) for message in WALK]) as transport:
        await run_loop(transport, store)
        assert len(await read_all(transport, "tracks")) == 80


class Fragile:
    """A store and an outbox that break at the n-th call to the outside, as a crash would."""

    def __init__(self, store: Store, outbox: Outbox, calls: int) -> None:
        self._store, self._outbox, self._left = store, outbox, calls

    def _call(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise CrashError

    async def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        self._call()
        return await self._store.get(keys)

    async def put(self, states: Mapping[str, State]) -> None:
        for key, state in states.items():
            self._call()
            await self._store.put({key: state})

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        self._call()
        await self._outbox.send(topic, record, acknowledged)

    async def flush(self) -> None:
        self._call()
        await self._outbox.flush()


async def crash_and_go_on(messages: Sequence[MaskMessage], crashes: Sequence[int]) -> list[bytes]:
    store, watched = MemoryStore(), plans(EVERY, ZONES)
    async with written([codec.encode(message) for message in messages]) as transport:
        async with transport.outbox(*TOPICS) as outbox:
            for calls in crashes:
                async with transport.inbox("masks", "watch") as inbox:
                    fragile = Fragile(store, outbox, calls)
                    with suppress(CrashError):
                        await looping(fragile, fragile, Metrics(), watched).run(inbox)
            async with transport.inbox("masks", "watch") as inbox:
                await looping(outbox, store, Metrics(), watched).run(inbox)
        return [bytes(one.record.value) for one in await read_all(transport, "alerts")]


def first_of_each(alerts: Sequence[bytes]) -> list[bytes]:
    return list(dict.fromkeys(alerts))


@given(histories(), st.lists(st.integers(0, 200), max_size=4))
def test_a_watcher_that_crashes_anywhere_goes_on_with_the_same_alerts(
    history: list[MaskMessage], crashes: list[int]
) -> None:
    """None is lost, none is new; what is repeated is repeated byte for byte."""
    alerts = asyncio.run(crash_and_go_on(history, crashes))
    assert first_of_each(alerts) == [codec.to_json(one) for one in replay(EVERY, ZONES, history)]


async def test_a_watcher_that_is_stopped_mid_dwell_goes_on() -> None:
    """Same identity, same time, one alert."""
    store = MemoryStore()
    told: list[codec.Message] = []
    for part in (WALK[:45], WALK[45:]):
        async with written([codec.encode(message) for message in part]) as transport:
            await run_loop(transport, store)
            told += [codec.decode(one.record) for one in await read_all(transport, "alerts")]
    assert told == run(WALK)[2]


class Frozen:
    """A store as a process has it that was frozen after it had read, before anybody wrote."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, _: Collection[str]) -> Mapping[str, bytes]:
        return {}

    async def put(self, states: Mapping[str, State]) -> None:
        await self._store.put(states)


async def test_a_watcher_that_thaws_takes_no_state_back() -> None:
    store = MemoryStore()
    for part, seen in ((WALK[:45], store), (WALK[:20], Frozen(store)), (WALK[45:], store)):
        async with written([codec.encode(message) for message in part]) as transport:
            await run_loop(transport, seen)
    kept = await store.get(["watch/yard"])
    assert kept == {"watch/yard": to_bytes(run(WALK)[0])}


class Ordered(MemoryStore):
    """Remembers what the outside was asked for, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    async def put(self, states: Mapping[str, State]) -> None:
        self.calls.append("state")
        await super().put(states)


async def test_alerts_are_acknowledged_before_state_and_state_before_the_commit() -> None:
    store = Ordered()

    class Out:
        async def send(
            self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
        ) -> None:
            store.calls.append(topic)

        async def flush(self) -> None:
            store.calls.append("acknowledged")

    class In:
        done = False
        is_assigned = True

        def owns(self, key: str) -> bool:
            return True

        def before_handover(self, let_go: Callable[[], Awaitable[None]]) -> None:
            pass

        async def receive(
            self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
        ) -> list[Delivery]:
            if self.done:
                raise EndOfStream
            self.done = True
            three = [codec.encode(result(seq, 170)) for seq in range(3)]
            return [Delivery("masks", record, at, f"masks@{at}") for at, record in enumerate(three)]

        async def commit(self, deliveries: Sequence[Delivery]) -> None:
            store.calls.append("commit")

    await looping(Out(), store, Metrics()).run(In())
    assert store.calls == [
        "tracks",
        "tracks",
        "tracks",
        "alerts",
        "acknowledged",
        "state",
        "commit",
    ]
