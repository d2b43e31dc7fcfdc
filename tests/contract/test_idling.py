"""How often an inbox asks a real broker for records."""

import asyncio
from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest

from connectors.kafka.idling import IDLE_WAIT_MS
from connectors.kafka.inbox import KafkaInbox
from stream.ports import Inbox, Record
from tests.support.kafka_transport import fresh_transport
from tests.support.topics import PATIENCE_S

WATCHED_S = 2.0
SENT = 20


def count_fetches(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with each request for records."""
    assert isinstance(inbox, KafkaInbox)
    client: Any = inbox._consumer._client
    send, asked = client.send, []

    async def spy(node: int, request: Any, **words: Any) -> Any:
        if isinstance(request, FetchRequest):
            asked.append(type(request).__name__)
        return await send(node, request, **words)

    monkeypatch.setattr(client, "send", spy)
    return asked


async def test_who_waits_for_records_asks_rarely(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = await fresh_transport(kafka)
    async with transport.inbox("frames", "test") as inbox:
        asked = count_fetches(inbox, monkeypatch)
        assert await inbox.receive(1, WATCHED_S) == []
        assert 1 <= len(asked) <= 2 * WATCHED_S * 1e3 / IDLE_WAIT_MS


async def test_who_holds_records_of_one_camera_asks_often_for_the_others(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = await fresh_transport(kafka)
    async with transport.outbox("frames") as outbox, transport.inbox("frames", "test") as inbox:
        for _ in range(SENT):
            await outbox.send("frames", Record("hall", b"picture"))
        await outbox.flush()
        assert len(await inbox.receive(1, PATIENCE_S)) == 1
        asked = count_fetches(inbox, monkeypatch)
        await asyncio.sleep(WATCHED_S)  # it holds the rest meanwhile
        assert len(asked) > 2 * WATCHED_S * 1e3 / IDLE_WAIT_MS
