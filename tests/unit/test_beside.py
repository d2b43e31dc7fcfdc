"""What goes on beside a role: it ends with it, and never before it without a word."""

import asyncio

import pytest

from stream.cli.embedded import beside
from stream.cli.roles import look
from stream.errors import ConnectError, DrainTimeoutError
from stream.health import Health
from stream.metrics import Metrics
from tests.support.clock import VirtualClock
from tests.support.topics import PATIENCE_S, roomy, settle


async def test_work_ends_with_the_body() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with beside(work()):
        await settle()
        assert not ended.is_set()
    assert ended.is_set()


async def test_what_the_work_raises_ends_the_body() -> None:
    async def work() -> None:
        raise ConnectError("refused")

    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectError, match="refused"):
            async with beside(work()):
                await asyncio.Event().wait()


async def test_what_the_body_raises_is_raised_as_itself() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DrainTimeoutError, match="left"):
        async with beside(work()):
            raise DrainTimeoutError("left")


async def test_a_role_is_ready_by_what_its_transport_says() -> None:
    health = Health(["partitions"])
    async with beside(look(roomy().progress, health, VirtualClock(), Metrics())):
        await settle()
        assert health.unready() == []
