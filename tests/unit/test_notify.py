"""The loop, on the real memory transport, in virtual time: hours of retries pass in no time."""

import asyncio
import logging
import selectors
import tracemalloc
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, ParamSpec

import msgspec
import pytest

from connectors.memory import MemoryTransport
from stream import codec
from stream.errors import (
    ConnectError,
    DeliveryError,
    DeliveryRefusedError,
    DrainTimeoutError,
    EndOfStream,
    EndpointGoneError,
    UnsupportedVersionError,
)
from stream.evidence import CLIPS
from stream.metrics import Metrics
from stream.notify import TOPICS, History, Illustrator, Limits, Notify
from stream.notify.body.plain import body_of
from stream.ports import Delivery, Member, Outbox, Record, Sink
from stream.retry import STEPS_S
from stream.types import Alert, AlertState, DeliveryStatus, Evidence
from tests.support.crash import Crash, CrashingOutbox

P = ParamSpec("P")
START_US = 1_800_000_000_000_000
MONTH_S = 30 * 86_400.0
OF = "of rule person-leaves, camera hall"


class JumpingSelector(selectors.SelectSelector):
    """Where a selector would wait for the next timer, this one says that the time has passed."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("every task waits, and nothing will ever wake one")
        if not ready and timeout is not None:
            self.now_s += max(timeout, 0.0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now_s


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


class LoopClock:
    def now_us(self) -> int:
        return START_US + round(asyncio.get_running_loop().time() * 1e6)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


Answer = str | Exception


@dataclass
class Endpoint:
    """Answers as it is told, the last answer for ever; each try takes ``busy_s``."""

    answers: Sequence[Answer] = ("200 OK",)
    busy_s: float = 0.0
    tries: list[tuple[float, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    busy: int = 0
    most_busy: int = 0

    async def deliver(self, alert: Alert) -> str:
        answer = self.answers[min(len(self.tries), len(self.answers) - 1)]
        self.tries.append((seconds(), f"{alert.id} {alert.state}"))
        self.bodies.append(body_of(alert))
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        try:
            await asyncio.sleep(self.busy_s)
        finally:
            self.busy -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def times_s(self) -> list[float]:
        return [time_s for time_s, _ in self.tries]

    @property
    def changes(self) -> list[str]:
        return [change for _, change in self.tries]


def seconds() -> float:
    return round(asyncio.get_running_loop().time(), 3)


def alert(
    name: str = "a1",
    state: AlertState = "opened",
    notify: tuple[str, ...] = ("ops",),
    camera: str = "hall",
) -> Alert:
    return Alert(
        id=name,
        state=state,
        rule="person-leaves",
        kind="presence",
        camera=camera,
        zone="exit",
        labels=("person",),
        severity="warning",
        tracks=("hall/1/17/0",),
        opened_us=START_US,
        time_us=START_US + ("opened", "updated", "resolved").index(state) * 1_000_000,
        evidence=Evidence(epoch=1, seq=17, score=0.9, overlap=0.4, box=(1.0, 2.0, 30.0, 40.0)),
        notify=notify,
    )


async def told(history: Iterable[DeliveryStatus]) -> AsyncGenerator[DeliveryStatus, None]:
    for status in history:
        yield status


nothing = partial(told, ())


@dataclass
class Run:
    """One run of notify over some records; what it wrote is read once it has ended."""

    sinks: Mapping[str, Sink]
    limits: Limits = field(default_factory=Limits)
    transport: MemoryTransport = field(default_factory=lambda: MemoryTransport(capacity=10_000))
    metrics: Metrics = field(default_factory=Metrics)
    wrap: Callable[[Outbox], Outbox] = lambda outbox: outbox
    illustrator: Illustrator | None = None

    async def of(
        self,
        *alerts: Alert | Record,
        drain_s: float = MONTH_S,
        history: Iterable[DeliveryStatus] = (),
    ) -> None:
        async with self.transport.outbox("alerts") as writer:
            for each in alerts:
                await writer.send(
                    "alerts", each if isinstance(each, Record) else codec.encode(each)
                )
        async with self.transport.inbox("alerts", "notify") as inbox:
            await self.reading(inbox, drain_s, partial(told, history))

    async def reading(
        self, inbox: Member, drain_s: float = MONTH_S, history: History = nothing
    ) -> None:
        async with self.transport.outbox(*TOPICS) as outbox:
            notify = Notify(
                self.sinks,
                self.wrap(outbox),
                LoopClock(),
                self.metrics,
                random=lambda: 0.0,
                limits=self.limits,
                illustrator=self.illustrator,
                is_live=lambda camera: camera == "hall",
            )
            await notify.run(inbox, drain_s, history)

    async def statuses(self) -> list[DeliveryStatus]:
        found = [codec.decode(record) for record in await self._read("deliveries")]
        return [status for status in found if isinstance(status, DeliveryStatus)]

    async def states(self, endpoint: str = "ops") -> list[str]:
        return [each.state for each in await self.statuses() if each.endpoint == endpoint]

    async def dead_letters(self) -> list[Record]:
        return await self._read("dead-letters")

    async def _read(self, topic: str) -> list[Record]:
        records: list[Record] = []
        async with self.transport.inbox(topic, f"test of {topic}") as inbox:
            try:
                while True:
                    records += [each.record for each in await inbox.receive(100, 1.0)]
            except EndOfStream:
                return records


def value(run: Run, name: str, **labels: str) -> float | None:
    return run.metrics.registry.get_sample_value(f"maskstream_{name}", labels)


@asynccontextmanager
async def feeding(run: Run) -> AsyncIterator[Outbox]:
    """Run notify while the block writes alerts; leaving the block ends them."""
    async with asyncio.TaskGroup() as tasks, run.transport.inbox("alerts", "notify") as inbox:
        async with run.transport.outbox("alerts") as writer:
            running = tasks.create_task(run.reading(inbox))
            yield writer
        await running


@in_virtual_time
async def test_an_alert_reaches_every_endpoint_that_it_names() -> None:
    ops, pager, other = Endpoint(), Endpoint(), Endpoint()
    run = Run({"ops": ops, "pager": pager, "other": other})

    await run.of(alert(notify=("ops", "pager", "ops")))

    assert ops.changes == pager.changes == ["a1 opened"]
    assert other.changes == []
    assert await run.states("ops") == ["pending", "delivered"]
    assert await run.states("pager") == ["pending", "delivered"]


@in_virtual_time
async def test_a_failed_try_is_repeated_with_the_same_body_until_it_succeeds() -> None:
    ops = Endpoint((DeliveryError("503"), DeliveryError("no answer"), "204 No Content"))
    run = Run({"ops": ops})

    await run.of(alert())

    assert ops.times_s == [0, 1, 6]
    assert set(ops.bodies) == {body_of(alert())}
    statuses = await run.statuses()
    assert [(each.state, each.attempts, each.answer) for each in statuses] == [
        ("pending", 0, ""),
        ("pending", 1, "503"),
        ("pending", 2, "no answer"),
        ("delivered", 3, "204 No Content"),
    ]


@in_virtual_time
async def test_the_log_says_when_an_endpoint_fails_and_when_it_is_well_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once each, however many tries it took."""
    caplog.set_level(logging.INFO, "stream.notify")
    await Run({"ops": Endpoint((DeliveryError("503"), DeliveryError("503"), "204"))}).of(alert())
    assert [each.getMessage() for each in caplog.records] == [
        "503; tries go on for days, as long as notify (or run) runs",
        "endpoint ops takes alerts again",
        f"alert a1, opened, {OF}, for ops, is delivered: 204",
    ]


@in_virtual_time
async def test_the_log_says_of_what_opened_and_resolved_that_it_was_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not of each person who joins."""
    caplog.set_level(logging.INFO, "stream.notify")
    states: tuple[AlertState, ...] = ("opened", "updated", "resolved")
    run = Run({"ops": Endpoint(("204", "204", "204"))})
    await run.of(*(alert(state=state) for state in states))
    assert [each.getMessage() for each in caplog.records] == [
        f"alert a1, {state}, {OF}, for ops, is delivered: 204" for state in ("opened", "resolved")
    ]


@in_virtual_time
async def test_the_log_names_an_alert_that_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    await Run({"ops": Endpoint((DeliveryRefusedError("403 Forbidden"),))}).of(alert())
    (record,) = caplog.records
    assert record.getMessage() == (f"alert a1, opened, {OF}, for ops, is given up: 403 Forbidden")


@in_virtual_time
async def test_the_log_names_an_alert_that_cannot_even_wait(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = Run({"ops": Endpoint((DeliveryError("503"),))}, Limits(waiting=1))
    with pytest.raises(DrainTimeoutError):
        await run.of(alert("a1"), alert("a2"), alert("a3", notify=("pager",)), drain_s=60)
    which = f"opened, {OF}"
    assert {each.getMessage() for each in caplog.records if each.levelname == "ERROR"} == {
        f"alert a2, {which}, for ops, is given up: "
        "1 deliveries wait already, and none is getting through",
        f"alert a3, {which}, for pager, is given up: no such endpoint is configured",
    }


@in_virtual_time
async def test_the_log_tells_a_clip_that_is_given_up_from_its_alert(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = Run({CLIPS: Endpoint((DeliveryRefusedError("the frames are not kept any more"),))})
    await run.of(alert(notify=(CLIPS,)))
    (record,) = caplog.records
    assert record.getMessage() == (
        f"the clip of alert a1, opened, {OF}, is given up: the frames are not kept any more"
    )


@in_virtual_time
async def test_after_three_days_of_failures_an_alert_is_given_up_into_dead_letters() -> None:
    ops = Endpoint((DeliveryError("503"),))
    run = Run({"ops": ops})

    await run.of(alert())

    assert len(ops.tries) == len(STEPS_S) + 1
    assert ops.times_s[-1] == sum(STEPS_S)
    assert (await run.states())[-1] == "given_up"
    (letter,) = await run.dead_letters()
    assert letter.value == codec.encode(alert()).value
    assert letter.headers["dead_letter_reason"] == b"undelivered"
    assert letter.headers["dead_letter_error"] == b"ops: 503"


@in_virtual_time
async def test_a_refused_alert_is_given_up_at_once() -> None:
    ops = Endpoint((DeliveryRefusedError("403 Forbidden"),))
    run = Run({"ops": ops})

    await run.of(alert())

    assert ops.times_s == [0]
    assert await run.states() == ["pending", "given_up"]
    assert len(await run.dead_letters()) == 1


@in_virtual_time
async def test_an_endpoint_that_is_gone_is_not_tried_again_and_no_other_notices(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Gone(Endpoint):
        async def deliver(self, alert: Alert) -> str:
            await super().deliver(alert)
            raise EndpointGoneError("410 Gone") if alert.id == "last" else DeliveryError("503")

    gone, pager = Gone(), Endpoint((DeliveryError("503"), "200 OK"))
    run = Run({"gone": gone, "pager": pager})
    both = ("gone", "pager")
    async with feeding(run) as writer:
        for name in ("a1", "a2"):
            await writer.send("alerts", codec.encode(alert(name, notify=both)))
        await asyncio.sleep(50)
        assert value(run, "endpoint_gone", endpoint="gone") == 0
        await writer.send("alerts", codec.encode(alert("last", notify=both)))
        await asyncio.sleep(1)
        tries = len(gone.tries)
        assert value(run, "deliveries_pending", endpoint="gone") == 0
        await writer.send("alerts", codec.encode(alert("a3", notify=both)))
        await asyncio.sleep(1)
        assert value(run, "deliveries_pending", endpoint="gone") == 0

    assert gone.tries[-1] == (50, "last opened")
    assert len(gone.tries) == tries
    given_up = [each for each in await run.statuses() if each.state == "given_up"]
    assert [each.alert for each in given_up] == ["last", "a1", "a2", "a3"]
    assert {(each.endpoint, each.answer) for each in given_up} == {("gone", "410 Gone")}
    assert len(await run.dead_letters()) == 4
    assert (await run.states("pager")).count("delivered") == 4
    assert value(run, "endpoint_gone", endpoint="gone") == 1
    assert value(run, "endpoint_gone", endpoint="pager") == 0
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == [
        "410 Gone; nothing more is sent to it until notify starts again"
    ]


@in_virtual_time
async def test_an_endpoint_that_is_gone_does_not_stay_quiet_for_its_retry_after() -> None:
    class Picky(Endpoint):
        async def deliver(self, alert: Alert) -> str:
            await super().deliver(alert)
            if alert.id == "slow":
                await asyncio.sleep(5)
                raise EndpointGoneError("410 Gone")
            raise DeliveryError("429", retry_after_s=3_600.0)

    ops = Picky()
    run = Run({"ops": ops}, Limits(tries=3))
    await run.of(*(alert(name) for name in ("slow", "a1", "a2", "a3")))

    assert seconds() == 5
    assert len(ops.tries) == 3
    assert (await run.states()).count("given_up") == 4


@in_virtual_time
async def test_an_endpoint_that_was_gone_is_tried_again_by_the_next_notify() -> None:
    ops = Endpoint((EndpointGoneError("410 Gone"), "200 OK"))
    run = Run({"ops": ops})

    await run.of(alert("a1"), alert("a1", "resolved"))
    await Run({"ops": ops}).of(alert("a1"), history=await run.statuses())

    assert ops.changes == ["a1 opened", "a1 opened"]


@in_virtual_time
async def test_retry_after_keeps_the_whole_endpoint_quiet_and_no_other() -> None:
    ops = Endpoint((DeliveryError("429", retry_after_s=60.0), "200 OK"))
    pager = Endpoint()
    run = Run({"ops": ops, "pager": pager})

    async with feeding(run) as writer:
        await writer.send("alerts", codec.encode(alert("a1")))
        await asyncio.sleep(10)
        await writer.send("alerts", codec.encode(alert("a2", notify=("ops", "pager"))))

    assert ops.times_s == [0, 60, 60]
    assert pager.times_s == [10]


@in_virtual_time
async def test_a_slow_endpoint_slows_no_other() -> None:
    slow = Endpoint((DeliveryError("no answer within 15 s"),), busy_s=15.0)
    quick = Endpoint()
    run = Run({"slow": slow, "quick": quick}, Limits(tries=1))

    await run.of(*(alert(f"a{n}", notify=("slow", "quick")) for n in range(300)))

    assert quick.times_s == [0] * 300
    assert slow.times_s[1] == 15


@in_virtual_time
async def test_changes_of_one_alert_arrive_in_order_while_other_alerts_pass_them() -> None:
    ops = Endpoint((DeliveryError("503"), DeliveryError("503"), "200 OK"))
    run = Run({"ops": ops})
    states: tuple[AlertState, ...] = ("opened", "updated", "resolved")

    await run.of(*(alert("a1", state) for state in states), alert("a2"))

    assert ops.tries == [
        (0, "a1 opened"),
        (0, "a2 opened"),
        (1, "a1 opened"),
        (1, "a2 opened"),
        (1, "a1 updated"),
        (1, "a1 resolved"),
    ]


@in_virtual_time
async def test_tries_at_one_endpoint_stay_within_its_bound() -> None:
    ops = Endpoint(busy_s=1.0)
    run = Run({"ops": ops}, Limits(tries=3))

    await run.of(*(alert(f"a{n}") for n in range(10)))

    assert ops.most_busy == 3
    assert ops.times_s == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


@in_virtual_time
async def test_a_wait_between_tries_holds_no_slot() -> None:
    ops = Endpoint((DeliveryError("503"), "200 OK"))
    run = Run({"ops": ops}, Limits(tries=1))

    await run.of(alert("a1"), alert("a2"))

    assert ops.tries == [(0, "a1 opened"), (0, "a2 opened"), (1, "a1 opened")]


@in_virtual_time
async def test_what_no_longer_fits_a_failing_endpoint_goes_to_dead_letters() -> None:
    down, ops = Endpoint((DeliveryError("503"),)), Endpoint()
    run = Run({"down": down, "ops": ops}, Limits(waiting=3))

    with pytest.raises(DrainTimeoutError):
        await run.of(*(alert(f"a{n}", notify=("down", "ops")) for n in range(5)), drain_s=60)

    assert len(ops.tries) == 5
    given_up = [each for each in await run.statuses() if each.state == "given_up"]
    assert [(each.endpoint, each.alert) for each in given_up] == [("down", "a3"), ("down", "a4")]
    assert given_up[0].answer == "3 deliveries wait already, and none is getting through"
    assert len(await run.dead_letters()) == 2


@in_virtual_time
async def test_a_backlog_waits_for_an_endpoint_that_takes_what_it_is_given() -> None:
    ops = Endpoint(busy_s=1.0)
    run = Run({"ops": ops}, Limits(tries=1, waiting=3))

    await run.of(*(alert(f"a{n}") for n in range(20)))

    assert ops.times_s == list(range(20))
    assert await run.dead_letters() == []


@in_virtual_time
async def test_a_place_is_not_waited_for_while_no_try_goes_on() -> None:
    class Picky(Endpoint):
        async def deliver(self, alert: Alert) -> str:
            answer = await super().deliver(alert)
            if alert.id == "bad":
                raise DeliveryError("500")
            await asyncio.sleep(1)
            return answer

    run = Run({"ops": Picky(), "pager": (pager := Endpoint())}, Limits(waiting=2))
    async with feeding(run) as writer:
        for name in ("bad", "a1"):
            await writer.send("alerts", codec.encode(alert(name)))
        await asyncio.sleep(200)
        for name in ("a2", "a3"):
            await writer.send("alerts", codec.encode(alert(name, notify=("ops", "pager"))))

    assert pager.times_s == [200, 200]
    given_up = [each.alert for each in await run.statuses() if each.state == "given_up"]
    assert given_up[0] == "a3"


@in_virtual_time
async def test_a_record_that_is_no_alert_goes_to_dead_letters_and_stops_nobody() -> None:
    ops = Endpoint()
    run = Run({"ops": ops})
    good = codec.encode(alert())
    broken = Record("hall", b'{"type":"alert","id":', good.headers)
    stranger = codec.encode(DeliveryStatus("a1", "opened", "ops", "delivered", 1, START_US))

    await run.of(broken, stranger, alert())

    assert ops.changes == ["a1 opened"]
    letters = await run.dead_letters()
    assert [letter.value for letter in letters] == [broken.value, stranger.value]
    assert {letter.headers["dead_letter_reason"] for letter in letters} == {b"schema_error"}
    assert b"given delivery; allowed: alert" in letters[1].headers["dead_letter_error"]


@in_virtual_time
async def test_an_alert_for_an_endpoint_that_is_not_configured_goes_to_dead_letters() -> None:
    ops = Endpoint()
    run = Run({"ops": ops})

    await run.of(alert(notify=("gone", "ops")))

    assert ops.changes == ["a1 opened"]
    assert await run.states("gone") == ["given_up"]
    (letter,) = await run.dead_letters()
    assert letter.headers["dead_letter_error"] == b"gone: no such endpoint is configured"


@in_virtual_time
async def test_an_alert_of_a_newer_writer_stops_notify_and_comes_again() -> None:
    run = Run({"ops": Endpoint()})
    record = codec.encode(alert())
    newer = Record(record.key, record.value, {**record.headers, "ce_type": b"maskstream.alert.v9"})

    with pytest.raises(UnsupportedVersionError, match="upgrade this reader"):
        await run.of(newer)

    async with run.transport.inbox("alerts", "notify") as inbox:
        assert [each.record for each in await inbox.receive(10, 1.0)] == [newer]


class Witness:
    """Writes down, in order, what happens at an outbox, an inbox and an endpoint."""

    def __init__(self, outbox: Outbox, inbox: Member, seen: list[str]) -> None:
        self.outbox = outbox
        self.inbox = inbox
        self.seen = seen
        self.is_assigned, self.owns = inbox.is_assigned, inbox.owns
        self.before_handover = inbox.before_handover

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        message = codec.decode(record)
        assert isinstance(message, DeliveryStatus)
        self.seen.append(message.state)
        await self.outbox.send(topic, record, acknowledged)

    async def flush(self) -> None:
        self.seen.append("flush")
        await self.outbox.flush()

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        return await self.inbox.receive(limit, timeout_s)

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        self.seen.append("commit")
        await self.inbox.commit(deliveries)

    async def deliver(self, alert: Alert) -> str:
        self.seen.append("try")
        return "200 OK"


@in_virtual_time
async def test_pending_is_acknowledged_and_the_alert_committed_before_the_first_try() -> None:
    transport = MemoryTransport()
    async with transport.outbox("alerts") as writer:
        await writer.send("alerts", codec.encode(alert()))
    async with transport.outbox(*TOPICS) as outbox, transport.inbox("alerts", "notify") as inbox:
        witness = Witness(outbox, inbox, [])
        notify = Notify({"ops": witness}, witness, LoopClock(), Metrics(), lambda: 0.0)
        await notify.run(witness, 1.0, nothing)

    assert witness.seen == ["pending", "flush", "commit", "try", "delivered", "flush", "flush"]


@in_virtual_time
async def test_a_repeat_of_an_alert_is_delivered_once() -> None:
    ops = Endpoint()
    run = Run({"ops": ops})

    await run.of(alert(), alert(), alert("a1", "resolved"))

    assert ops.changes == ["a1 opened", "a1 resolved"]


@in_virtual_time
async def test_an_alert_that_was_given_up_can_be_sent_again() -> None:
    ops = Endpoint((DeliveryRefusedError("403"), "200 OK"))
    run = Run({"ops": ops})

    async with feeding(run) as writer:
        await writer.send("alerts", codec.encode(alert()))
        await asyncio.sleep(1)
        await writer.send("alerts", codec.encode(alert()))

    assert ops.tries == [(0, "a1 opened"), (1, "a1 opened")]


@in_virtual_time
async def test_what_is_left_at_the_drain_deadline_is_told_recorded_and_taken_up_again() -> None:
    ops = Endpoint((DeliveryError("503"),))
    pager = Endpoint(busy_s=3_600.0)
    run = Run({"ops": ops, "pager": pager})
    alerts = [alert("a1", notify=("ops", "pager")), alert("a1", "resolved")]

    with pytest.raises(DrainTimeoutError) as error:
        await run.of(*alerts, drain_s=20.0)

    assert str(error.value) == "3 deliveries left after 20 s: ops 2 (503), pager 1"
    statuses = await run.statuses()
    assert [each.state for each in statuses[-3:]] == ["pending"] * 3
    assert ops.times_s == [0, 1, 6]

    ops.answers, pager.busy_s = ("200 OK",), 0.0
    again = Run(run.sinks)
    await again.of(history=statuses)
    assert ops.changes[-2:] == ["a1 opened", "a1 resolved"]
    assert len(set(pager.bodies)) == 1
    delivered = [each for each in await again.statuses() if each.state == "delivered"]
    assert sorted((each.endpoint, each.attempts) for each in delivered) == [
        ("ops", 1),
        ("ops", 4),
        ("pager", 2),
    ]


@in_virtual_time
async def test_a_drain_ends_as_soon_as_everything_is_delivered() -> None:
    run = Run({"ops": Endpoint((DeliveryError("503"), "200 OK"))})

    await run.of(alert(), drain_s=600.0)

    assert seconds() == 1


@in_virtual_time
async def test_a_crash_after_the_2xx_repeats_the_alert_once_with_the_same_body() -> None:
    ops = Endpoint()
    run = Run({"ops": ops}, wrap=CrashingOutbox)
    with pytest.RaisesGroup(Crash):
        await run.of(alert())

    again = Run({"ops": ops})
    await again.of(history=await run.statuses())
    assert ops.changes == ["a1 opened"] * 2
    assert ops.bodies[0] == ops.bodies[1]

    third = Run({"ops": ops})
    await third.of(alert(), history=[*await run.statuses(), *await again.statuses()])
    assert len(ops.tries) == 2


@in_virtual_time
async def test_a_restart_keeps_to_the_schedule() -> None:
    ops = Endpoint((DeliveryError("503", retry_after_s=100.0), "200 OK"))
    run = Run({"ops": ops})
    with pytest.raises(DrainTimeoutError):
        await run.of(alert(), drain_s=20.0)
    assert seconds() == 20

    await Run({"ops": ops}).of(history=await run.statuses())
    assert ops.times_s == [0, 100]


@in_virtual_time
async def test_a_wait_that_a_wrong_clock_wrote_down_lasts_no_longer_than_was_meant() -> None:
    ops = Endpoint((DeliveryError("503", retry_after_s=100.0), "200 OK"))
    run = Run({"ops": ops})
    with pytest.raises(DrainTimeoutError):
        await run.of(alert(), drain_s=20.0)
    hour_us = 3_600_000_000
    ahead = [
        msgspec.structs.replace(
            each, time_us=each.time_us + hour_us, due_us=each.due_us and each.due_us + hour_us
        )
        for each in await run.statuses()
    ]

    await Run({"ops": ops}).of(history=ahead)
    assert ops.times_s == [0, 100]


@in_virtual_time
async def test_changes_of_an_alert_are_gone_on_with_in_order_wherever_they_were_written() -> None:
    ops, pager = Endpoint((DeliveryError("503"),)), Endpoint()
    run = Run({"ops": ops})
    states: tuple[AlertState, ...] = ("opened", "updated", "resolved")
    with pytest.raises(DrainTimeoutError):
        await run.of(*(alert("a1", state) for state in states), drain_s=0.5)

    await Run({"ops": pager}).of(history=reversed(await run.statuses()))
    assert pager.changes == ["a1 opened", "a1 updated", "a1 resolved"]


@in_virtual_time
async def test_what_was_delivered_is_not_pending_again_whatever_is_written_late() -> None:
    ops = Endpoint()
    run = Run({"ops": ops})
    await run.of(alert())
    pending, delivered = await run.statuses()

    await Run({"ops": ops}).of(history=[pending, delivered, pending])
    assert len(ops.tries) == 1


class Moving:
    """A member whose cameras move as a test says; its notify goes on with what was written."""

    def __init__(self, run: Run, inbox: Member, *cameras: str) -> None:
        self.transport = run.transport
        self.receive, self.commit = inbox.receive, inbox.commit
        self.cameras = cameras
        self.is_assigned = True
        self.faults: list[ConnectError] = []
        self.reading_s = 0.0
        self.let_go: Callable[[], Awaitable[None]]

    def owns(self, key: str) -> bool:
        return self.is_assigned and key in self.cameras

    def before_handover(self, let_go: Callable[[], Awaitable[None]]) -> None:
        self.let_go = let_go

    async def history(self) -> AsyncGenerator[DeliveryStatus, None]:
        if self.faults:
            raise self.faults.pop()
        await asyncio.sleep(self.reading_s)
        async for record in self.transport.whole("deliveries"):
            status = codec.decode(record)
            assert isinstance(status, DeliveryStatus)
            yield status

    async def move(self, *cameras: str, patience_s: float = MONTH_S) -> None:
        self.is_assigned = False
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self.let_go()
        self.cameras, self.is_assigned = cameras, True


@asynccontextmanager
async def moving(ops: Endpoint, *alerts: Alert) -> AsyncIterator[Moving]:
    """A notify for the cameras hall and yard that has begun with ``alerts``."""
    run = Run({"ops": ops})
    async with asyncio.TaskGroup() as tasks, run.transport.inbox("alerts", "notify") as inbox:
        member = Moving(run, inbox, "hall", "yard")
        async with run.transport.outbox("alerts") as writer:
            for each in alerts:
                await writer.send("alerts", codec.encode(each))
            running = tasks.create_task(run.reading(member, 10.0, member.history))
            yield member
        with suppress(DrainTimeoutError):
            await running


@in_virtual_time
async def test_cameras_that_move_take_what_is_pending_along_on_schedule() -> None:
    ops = Endpoint((DeliveryError("503"),) * 4 + ("200 OK",))
    async with moving(ops, alert("a1"), alert("b1", camera="yard")) as member:
        await asyncio.sleep(2)
        assert ops.tries == [(0, "a1 opened"), (0, "b1 opened"), (1, "a1 opened"), (1, "b1 opened")]
        await member.move("hall")
        await asyncio.sleep(20)
        assert ops.tries[4:] == [(6, "a1 opened")]
        await member.move("hall", "yard")
        await asyncio.sleep(2)
        assert [change for _, change in ops.tries[5:]] == ["b1 opened"]


@in_virtual_time
async def test_cameras_move_when_tries_in_flight_are_over_and_no_new_one_begins() -> None:
    ops = Endpoint(busy_s=2.0)
    async with moving(ops, alert("a1"), alert("a1", "resolved")) as member:
        await asyncio.sleep(1)
        await member.move()
        assert seconds() == 2
        assert [each.state async for each in member.history()] == ["pending"] * 2 + ["delivered"]
        await asyncio.sleep(20)
        assert ops.tries == [(0, "a1 opened")]
        await member.move("hall")
        await asyncio.sleep(20)
        assert ops.changes == ["a1 opened", "a1 resolved"]


@in_virtual_time
async def test_a_try_that_keeps_cameras_from_moving_is_left_and_made_again() -> None:
    ops = Endpoint(busy_s=8.0)
    async with moving(ops, alert("a1")) as member:
        await asyncio.sleep(1)
        await member.move("hall", patience_s=3.0)
        assert seconds() == 4
        ops.busy_s = 0.0
        await asyncio.sleep(5)
        assert ops.changes == ["a1 opened"] * 2
        assert len(set(ops.bodies)) == 1


@in_virtual_time
async def test_what_comes_while_cameras_move_is_delivered_once() -> None:
    ops = Endpoint()
    async with moving(ops) as member:
        await asyncio.sleep(1)
        moved = asyncio.create_task(member.move("hall"))
        async with member.transport.outbox("alerts") as writer:
            await writer.send("alerts", codec.encode(alert("a1")))
            await writer.send("alerts", codec.encode(alert("a1")))
        await moved
        await asyncio.sleep(5)
        assert ops.changes == ["a1 opened"]


@in_virtual_time
async def test_what_came_before_cameras_moved_on_is_left_to_whoever_has_them_now() -> None:
    ops = Endpoint()
    async with moving(ops) as member:
        await asyncio.sleep(1)
        member.reading_s = 5.0
        await member.move("hall", "yard")
        async with member.transport.outbox("alerts") as writer:
            await writer.send("alerts", codec.encode(alert("a1")))
            await writer.send("alerts", codec.encode(alert("b1", camera="yard")))
        await asyncio.sleep(2)
        await member.move("yard")
        await asyncio.sleep(20)
        assert ops.changes == ["b1 opened"]
        assert "a1" not in [each.alert async for each in member.history()]


@in_virtual_time
async def test_a_history_of_days_is_read_in_little_memory() -> None:
    statuses = 20_000
    written = DeliveryStatus("", "opened", "ops", "delivered", 1, START_US)

    async def history() -> AsyncGenerator[DeliveryStatus, None]:
        for number in range(statuses):
            camera = "hall" if number % 2 else "another's"
            snapshot = alert(f"{number:0200}", camera=camera)
            yield msgspec.structs.replace(written, alert=snapshot.id, snapshot=snapshot)

    ops = Endpoint()
    run = Run({"ops": ops}, Limits(waiting=500))
    async with run.transport.inbox("alerts", "notify") as inbox:
        async with run.transport.outbox("alerts") as writer:
            await writer.send("alerts", codec.encode(alert(f"{statuses - 1:0200}")))
        tracemalloc.start()
        await run.reading(Moving(run, inbox, "hall"), history=history)
        most_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert ops.changes == []
    assert most_bytes < 2_000_000


@in_virtual_time
async def test_what_is_pending_is_asked_for_again_where_it_cannot_be_read() -> None:
    ops = Endpoint((DeliveryError("503"), "200 OK"))
    async with moving(ops, alert("a1")) as member:
        await asyncio.sleep(0.5)
        member.faults = [ConnectError("kafka: away")] * 3
        await member.move("hall")
        await asyncio.sleep(20)
        assert member.faults == []
        assert ops.changes == ["a1 opened"] * 2


@in_virtual_time
async def test_metrics_count_tries_by_outcome_and_what_waits() -> None:
    run = Run({"ops": Endpoint((DeliveryError("503"), "200 OK", DeliveryRefusedError("403")))})

    await run.of(alert(), alert("a1", "resolved"))

    outcomes = ("failed", "delivered", "given_up")
    counts = [value(run, "deliveries_total", endpoint="ops", outcome=each) for each in outcomes]
    assert counts == [1, 1, 1]
    assert value(run, "deliveries_pending", endpoint="ops") == 0
    assert value(run, "dead_letters_total", topic="alerts", reason="undelivered") == 1


@in_virtual_time
async def test_metrics_tell_how_long_a_try_takes_and_how_old_a_live_alert_is_by_then() -> None:
    run = Run({"ops": Endpoint((DeliveryError("503"), "200 OK"), busy_s=2.0)})
    await run.of(alert(), alert("a2", camera="film"))
    assert value(run, "delivery_seconds_count", endpoint="ops") == 4 - 1
    assert value(run, "delivery_seconds_sum", endpoint="ops") == pytest.approx(6)
    assert value(run, "delivered_age_seconds_count", endpoint="ops") == 1, "a file has its own time"


@in_virtual_time
async def test_the_age_of_what_waits_is_that_of_the_oldest_as_somebody_looks() -> None:
    run = Run({"ops": Endpoint((DeliveryError("503", retry_after_s=100.0), "200 OK"))})
    async with feeding(run) as writer:
        await writer.send("alerts", codec.encode(alert("a1")))
        await asyncio.sleep(30)
        await writer.send("alerts", codec.encode(alert("a2")))
        await asyncio.sleep(30)
        assert value(run, "deliveries_oldest_seconds", endpoint="ops") == pytest.approx(60)
        await asyncio.sleep(50)
        assert value(run, "deliveries_oldest_seconds", endpoint="ops") == 0


@in_virtual_time
async def test_what_waits_grows_no_younger_by_a_restart() -> None:
    ops = Endpoint((DeliveryError("503", retry_after_s=100.0), "200 OK"))
    before, after = Run({"ops": ops}), Run({"ops": ops})
    with pytest.raises(DrainTimeoutError):
        await before.of(alert(), drain_s=20.0)
    going_on = asyncio.create_task(after.of(history=await before.statuses()))
    await asyncio.sleep(40)
    assert value(after, "deliveries_oldest_seconds", endpoint="ops") == pytest.approx(60)
    await going_on
    assert value(after, "deliveries_oldest_seconds", endpoint="ops") == 0
