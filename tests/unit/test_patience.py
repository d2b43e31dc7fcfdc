"""Leaving brokers that are away."""

import asyncio

import pytest

from connectors.kafka.patience import leave


async def stuck() -> None:
    await asyncio.Event().wait()


async def broken_off() -> None:
    """As aiokafka's consumer stops while it waits to try again."""
    trying = asyncio.create_task(stuck())
    await asyncio.sleep(0)
    trying.cancel()
    await trying


async def test_a_goodbye_that_the_client_breaks_off_itself_is_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await leave(broken_off())
    assert caplog.messages == ["left without a goodbye: no broker answered"]


async def test_who_is_cancelled_while_leaving_is_cancelled() -> None:
    leaving = asyncio.create_task(leave(stuck()))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
