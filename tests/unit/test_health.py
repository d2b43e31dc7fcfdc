"""What a probe is told."""

import asyncio
from collections.abc import Sequence

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from connectors.health import serve_health
from stream.canary import PERIOD_S, sing
from stream.errors import DeviceError
from stream.health import CANARY_S, STILL_S, Health
from stream.ports import Model, Progress, Share, View
from stream.specs import HealthSpec
from stream.stages import Spent, untold
from stream.types import Instance
from tests.support.clock import VirtualClock
from tests.support.models import BrightModel, CrampedModel
from tests.support.topics import settle

S = 1_000_000


def working(committed: int, lag: int, topic: str = "frames") -> Progress:
    return Progress(True, {topic: Share(committed, lag)})


AWAY = Progress(True, {})
"""What is told while no broker answers."""


def test_a_role_is_ready_once_all_that_it_waits_for_is_there() -> None:
    health = Health(["start", "partitions"])
    assert health.unready() == ["it waits for: start", "it waits for: partitions"]
    health.reached("start")
    health.progress(Progress(False, {}), 0)
    assert health.unready() == ["it waits for: partitions"]
    health.progress(working(0, 0), 0)
    assert health.unready() == []


def test_a_role_that_stops_is_not_ready_but_alive() -> None:
    health = Health()
    health.draining()
    assert health.unready() == ["it is stopping"]
    assert health.dead(0) == []


def test_what_stands_still_while_there_is_lag_is_dead() -> None:
    health = Health()
    health.progress(working(5, 3), 0)
    health.progress(working(5, 4), round(STILL_S * S))
    assert health.dead(round(STILL_S * S)) == []
    assert health.dead(61 * S) == [
        "frames: nothing was committed for 61 s, with 4 records waiting; allowed: 60 s"
    ]
    health.progress(working(6, 4), 62 * S)
    assert health.dead(63 * S) == []


def test_a_topic_that_goes_on_hides_none_that_stands_still() -> None:
    health = Health()
    for second in range(62):
        shares = {"frames": Share(second, 1), "frames-archive": Share(5, 9)}
        health.progress(Progress(True, shares), second * S)
    assert health.dead(61 * S) == [
        "frames-archive: nothing was committed for 61 s, with 9 records waiting; allowed: 60 s"
    ]


def test_who_has_nothing_to_do_lives() -> None:
    health = Health()
    for second in range(1000):
        health.progress(working(5, 0), second * S)
    health.progress(working(5, 1), 1000 * S)
    assert health.dead(1001 * S) == []


def test_an_outage_of_brokers_kills_nobody_and_the_minute_begins_after_it() -> None:
    health = Health()
    health.progress(working(5, 3), 0)
    for second in range(1, 1000):
        health.progress(AWAY, second * S)
        assert health.dead(second * S) == []
    health.progress(working(5, 3), 1000 * S)
    assert health.dead(1060 * S) == []
    assert health.dead(1061 * S) != []


def test_a_model_that_fails_or_falls_silent_is_dead_until_it_answers() -> None:
    health = Health()
    health.canary(None, 0)
    assert health.dead(round(CANARY_S * S)) == []
    assert health.dead(61 * S) == ["the model did not answer for 61 s; allowed: 60 s"]
    health.canary("RuntimeError: no device", 62 * S)
    assert health.dead(62 * S) == ["the model failed: RuntimeError: no device"]
    health.canary(None, 63 * S)
    assert health.dead(64 * S) == []


class HangingModel(BrightModel):
    """Answers nothing."""

    async def segment(self, _: Sequence[View], spent: Spent = untold) -> list[tuple[Instance, ...]]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_model_that_hangs_at_its_first_canary_is_dead() -> None:
    clock, health = VirtualClock(), Health()
    singing = asyncio.create_task(sing(HangingModel(), health, clock))
    await settle()
    assert health.dead(clock.now_us()) == []
    clock.advance(CANARY_S + 1)
    assert health.dead(clock.now_us()) == ["the model did not answer for 61 s; allowed: 60 s"]
    singing.cancel()


class MoodyModel(BrightModel):
    """Fails the second canary."""

    asked = 0

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        self.asked += 1
        if self.asked == 2:
            raise RuntimeError("no device")
        return await super().segment(batch, spent)


def test_a_device_without_room_for_a_batch_is_not_ready_but_alive() -> None:
    health = Health()
    health.canary(None, 0)
    health.room(4, 8)
    assert health.unready() == ["the device has room for 4 of the 8 views of a batch"]
    assert health.dead(0) == []
    health.room(8, 8)
    assert health.unready() == []


async def sung(model: Model, health: Health) -> None:
    """Let the canary sing once."""
    clock = VirtualClock()
    singing = asyncio.create_task(sing(model, health, clock))
    await settle()
    singing.cancel()
    await asyncio.gather(singing, return_exceptions=True)


async def test_the_canary_finds_out_whether_there_is_room_for_a_batch() -> None:
    health, model = Health(), CrampedModel(BrightModel(), 8, 3)
    await sung(model, health)
    assert model.tried[:3] == [8, 4, 2]
    assert health.unready() == ["the device has room for 2 of the 8 views of a batch"]
    assert health.dead(0) == []
    model.room = 8
    await sung(model, health)
    assert health.unready() == []


async def test_a_device_without_room_for_a_canary_is_neither_ready_nor_alive() -> None:
    health = Health()
    await sung(CrampedModel(BrightModel(), 8, 0), health)
    expected = ["the model failed: OutOfMemoryError: no room for 1 views"]
    assert health.unready() == expected
    assert health.dead(0) == expected


class BrokenModel(BrightModel):
    async def segment(self, _: Sequence[View], spent: Spent = untold) -> list[tuple[Instance, ...]]:
        raise DeviceError("an illegal memory access")


async def test_a_canary_on_a_device_that_failed_ends_the_role() -> None:
    with pytest.raises(DeviceError, match="illegal memory access"):
        await sing(BrokenModel(), Health(), VirtualClock())


async def test_the_canary_asks_the_model_again_and_again() -> None:
    clock, model = VirtualClock(), MoodyModel()
    health = Health()
    told: list[list[str]] = []
    singing = asyncio.create_task(sing(model, health, clock))
    for _ in range(200):
        await settle(1)
        if len(told) < model.asked:
            told.append(health.dead(clock.now_us()))
    singing.cancel()
    assert ["the model failed: RuntimeError: no device"] in told
    assert told[-1] == []
    assert set(clock.slept_s) == {PERIOD_S}


async def test_probes_answer_on_http() -> None:
    registry = CollectorRegistry()
    Counter("maskstream_things", "things", registry=registry).inc()
    clock = VirtualClock()
    health = Health(["start"])
    async with (
        serve_health(health, clock, registry, HealthSpec()) as url,
        aiohttp.ClientSession() as session,
    ):

        async def get(path: str) -> tuple[int, str]:
            async with session.get(url + path) as answer:
                return answer.status, await answer.text()

        assert await get("/readyz") == (503, "it waits for: start\n")
        health.reached("start")
        assert await get("/readyz") == (200, "ok\n")
        assert await get("/livez") == (200, "ok\n")
        health.canary("gone", clock.now_us())
        assert await get("/livez") == (503, "the model failed: gone\n")
        assert "maskstream_things_total 1.0" in (await get("/metrics"))[1]
        prometheus = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;q=0.5,*/*;q=0.1"
        async with session.get(f"{url}/metrics", headers={"Accept": prometheus}) as answer:
            assert answer.content_type == "application/openmetrics-text"
            assert (await answer.text()).endswith("# EOF\n")
