"""``GET /v1/cameras`` and ``GET /v1/alerts``: how things are, from what was told."""

from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

from connectors.clock import SteadyClock
from connectors.memory import MemoryTransport
from connectors.web import Page, show
from connectors.web.api.board import AlertsQuery, Board
from connectors.web.page import OVER_SENT, Recalled
from connectors.web.told import MOST_ALERTS
from stream import codec
from stream.rules.trouble import FRESH_US
from stream.types import Alert, CameraStatus
from tests.support.api import running
from tests.support.build import gap, health, opened, result
from tests.support.clock import START_US, VirtualClock
from tests.support.scene import alert
from tests.support.topics import fill

ALL = AlertsQuery()


class Told:
    """A page and its board, told of things by hand."""

    def __init__(self, *cameras: str) -> None:
        self.clock = VirtualClock()
        self.page = Page(cameras=cameras or ("hall",), zones=list, now_us=self.clock.now_us)
        self.board = Board(self.page)

    def camera(self) -> dict[str, Any]:
        """The first camera."""
        found: dict[str, Any] = msgspec.to_builtins(self.board.cameras().cameras[0])
        return found

    def alerts(self, query: AlertsQuery = ALL) -> list[tuple[str, str]]:
        return [(each.id, each.state) for each in self.board.alerts(query).alerts]


def named(name: str, state: Any = "opened", lasted_us: int = 0, **fields: Any) -> Alert:
    return msgspec.structs.replace(alert(state, lasted_us=lasted_us), id=name, **fields)


def test_a_camera_of_which_nothing_was_told_is_there_with_what_is_not_known() -> None:
    assert Told().camera() == {
        "camera": "hall", "state": None, "since_us": None, "reason": "no ingest has told of it",
        "epoch": None, "rate": None, "age_p50_ms": None, "age_p99_ms": None, "skipped": None,
        "conditions": [],
    }  # fmt: skip


def test_a_camera_has_the_state_that_was_told_last_and_since_when() -> None:
    told = Told()
    live = CameraStatus("hall", "live", START_US + 5)
    told.page.status(CameraStatus("hall", "connecting", START_US + 7, "a fast clock"))
    told.page.status(live)
    found = told.camera()
    assert (found["state"], found["since_us"], found["reason"]) == ("live", START_US + 5, "")
    told.page.status(CameraStatus("hall", "lost", START_US + 9, "no answer"))
    found = told.camera()
    assert (found["state"], found["since_us"], found["reason"]) == (
        "lost",
        START_US + 9,
        "no answer",
    )


def test_rate_and_ages_are_those_of_its_results() -> None:
    told = Told()
    for seq in range(11):
        told.clock.advance(0.1)
        arrived_us = told.clock.now_us() - 50_000
        told.page.count(msgspec.structs.replace(result(seq), arrived_us=arrived_us))
    found = told.camera()
    assert found["rate"] == pytest.approx(10)
    assert (found["age_p50_ms"], found["age_p99_ms"]) == (50, 50)


def test_what_is_skipped_in_earnest_is_told_with_its_main_reason() -> None:
    told = Told()
    for seq in range(0, 44, 4):
        told.page.count(result(seq))
        told.page.count(gap(seq + 1, seq + 3, "overflow"))
        told.clock.advance(1)
    told.clock.advance(-1)
    assert told.camera()["skipped"] == {"ratio": 0.75, "reason": "overflow"}


def test_the_epoch_is_the_highest_that_was_heard_of() -> None:
    told = Told()
    told.page.epoch(opened(epoch=3))
    assert told.camera()["epoch"] == 3
    told.page.count(result(epoch=2))
    told.page.count(gap(0, 1, epoch=1))
    assert told.camera()["epoch"] == 3
    told.page.count(gap(0, 1, epoch=4))
    assert told.camera()["epoch"] == 4


def test_conditions_hold_until_they_end_or_nobody_tells_of_them() -> None:
    told = Told()
    black, frozen = health(0, "black"), health(0, "frozen")
    held = {"condition": "black", "since_us": START_US, "detail": "so it is"}
    told.page.health(black)
    told.page.health(frozen)
    assert told.camera()["conditions"][0] == held
    told.page.health(msgspec.structs.replace(frozen, is_on=False))
    assert told.camera()["conditions"] == [held]
    told.clock.advance(FRESH_US / 1e6 + 1)
    assert told.camera()["conditions"] == []


def test_only_cameras_that_there_are_are_listed_by_name() -> None:
    told = Told("yard", "hall")
    told.page.keep(["yard", "gate"])
    told.page.count(result(0, "hall"))
    assert [each.camera for each in told.board.cameras().cameras] == ["gate", "yard"]


def test_a_camera_that_is_there_again_is_as_was_told_meanwhile() -> None:
    told = Told("hall")
    told.page.keep([])
    told.page.status(CameraStatus("hall", "connecting", START_US))
    told.page.keep(["hall"])
    assert told.camera()["state"] == "connecting"


async def test_alerts_are_those_that_changed_last_first_each_once() -> None:
    told = Told()
    for each in (named("a"), named("b"), named("a", "updated", 5), named("c", "opened", 9)):
        await told.page.alert(each)
    assert told.alerts() == [("c", "opened"), ("a", "updated"), ("b", "opened")]


async def test_what_is_over_stays_over_when_its_beginning_comes_again() -> None:
    told = Told()
    for each in (named("a"), named("a", "resolved", 9), named("a"), named("a", "updated", 5)):
        await told.page.alert(each)
    assert told.alerts() == [("a", "resolved")]


async def test_what_is_told_again_is_no_change() -> None:
    told = Told()
    for each in (named("a"), named("b"), named("a")):
        await told.page.alert(each)
    assert told.alerts() == [("b", "opened"), ("a", "opened")]


async def test_a_browser_that_comes_gets_all_that_are_open_and_the_last_that_are_over() -> None:
    told = Told()
    for number in range(OVER_SENT + 10):
        await told.page.alert(named(f"open {number}"))
        await told.page.alert(named(f"over {number}", "resolved"))
    sent = [each.alert.id for each in told.page.alerts(0)]
    assert [each for each in sent if "open" in each] == [
        f"open {number}" for number in range(OVER_SENT + 10)
    ]
    assert [each for each in sent if "over" in each] == [
        f"over {number}" for number in range(10, OVER_SENT + 10)
    ]


async def test_an_alert_is_as_old_as_what_was_told_of_it() -> None:
    told = Told()
    await told.page.alert(named("a"), START_US - 60_000_000)
    await told.page.alert(named("a", "updated", 5))
    (found,) = told.page.alerts(0)
    assert (found.heard_us, found.changed_us) == (START_US - 60_000_000, START_US)


async def test_alerts_are_chosen_by_camera_rule_state_and_number() -> None:
    told = Told()
    for each in (
        named("a"), named("b", "resolved"), named("c", camera="yard"), named("d", rule="other"),
    ):  # fmt: skip
        await told.page.alert(each)
    assert told.alerts(AlertsQuery(camera="yard")) == [("c", "opened")]
    assert told.alerts(AlertsQuery(rule="other")) == [("d", "opened")]
    assert told.alerts(AlertsQuery(state="resolved")) == [("b", "resolved")]
    assert len(told.alerts(AlertsQuery(state="open"))) == 3
    assert told.alerts(AlertsQuery(state="open", camera="hall", limit=1)) == [("d", "opened")]


async def test_of_too_many_alerts_those_that_are_over_are_forgotten_first() -> None:
    told = Told()
    await told.page.alert(named("open"))
    await told.page.alert(named("over", "resolved"))
    for number in range(MOST_ALERTS - 1):
        await told.page.alert(named(str(number)))
    names = [name for name, _ in told.alerts(AlertsQuery(limit=MOST_ALERTS))]
    assert len(names) == MOST_ALERTS
    assert "open" in names
    assert "over" not in names


async def test_it_is_told_by_the_topics_and_passes_over_what_cannot_be_read() -> None:
    transport, told = MemoryTransport(), Told()
    topics = ("masks", "alerts", "camera-status")
    async with transport.outbox(*topics) as outbox:
        bad = codec.encode(result(0))
        await outbox.send("masks", type(bad)("hall", b"{", bad.headers))
        await fill(outbox, "masks", [opened(epoch=7), result(1, epoch=6)])
        await fill(outbox, "alerts", [named("a")])
        await fill(outbox, "camera-status", [CameraStatus("hall", "live", START_US)])
    async with AsyncExitStack() as stack:
        inboxes = {
            topic: await stack.enter_async_context(transport.inbox(topic, "page"))
            for topic in topics
        }
        await show(inboxes, told.page, SteadyClock(), 1.0)
    assert told.alerts() == [("a", "opened")]
    found = told.camera()
    assert (found["state"], found["epoch"]) == ("live", 7)


async def test_alerts_are_not_told_before_all_is_read_that_was_told_before() -> None:
    async with running() as api:
        api.page.recall(Recalled(500, 2_000))
        async with api.client.get("/v1/alerts") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            told = await answer.json(content_type=None)
            assert told["detail"] == "500 of 2000 records of before are read; ask again"
        api.page.recall(None)
        async with api.client.get("/v1/alerts") as answer:
            assert (answer.status, await answer.json()) == (200, {"alerts": []})


async def test_both_are_served_as_json() -> None:
    async with running() as api:
        api.page.status(CameraStatus("hall", "live", START_US))
        await api.page.alert(named("a"))
        async with api.client.get("/v1/cameras") as answer:
            cameras = (await answer.json())["cameras"]
            assert [(each["camera"], each["state"]) for each in cameras] == [
                ("hall", "live"), ("yard", None),
            ]  # fmt: skip
        async with api.client.get("/v1/alerts?state=open&limit=5") as answer:
            (found,) = (await answer.json())["alerts"]
            assert codec.from_json(msgspec.json.encode(found)) == named("a")
        for query, field in [
            ("limit=0", "limit"), ("limit=2001", "limit"), ("limit=1.5", "limit"),
            ("camera=Hall", "camera"), ("state=opened", "state"), ("colour=red", "colour"),
        ]:  # fmt: skip
            async with api.client.get(f"/v1/alerts?{query}") as answer:
                assert (answer.status, (await answer.json(content_type=None))["field"]) == (
                    400,
                    field,
                )
        async with api.client.head("/v1/alerts") as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        async with api.client.get("/v1/cameras?x=1") as answer:
            assert (await answer.json(content_type=None))["allowed"] == "none"
