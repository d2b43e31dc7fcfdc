"""The brokers that the other tests stand on are real ones."""

import asyncio

import pytest

from connectors.kafka import KafkaTransport
from tests.support.kafka import Node
from tests.support.kafka_transport import kafka_settings
from tests.support.records import TOPIC, record


async def written(transport: KafkaTransport, *values: int) -> None:
    async with transport.outbox(TOPIC) as outbox:
        for value in values:
            await outbox.send(TOPIC, record(value))
        await outbox.flush()


async def held(transport: KafkaTransport) -> list[int]:
    return [int(bytes(each.value)) async for each in transport.whole(TOPIC)]


@pytest.mark.long
@pytest.mark.slow
async def test_what_was_acknowledged_outlives_the_leader(kafka3: list[Node]) -> None:
    settings = kafka_settings(kafka3[0].bootstrap, replication=3)
    transport = KafkaTransport(settings)
    await transport.apply()
    await written(transport, *range(5))
    for node in kafka3:
        others = ",".join(each.bootstrap for each in kafka3 if each is not node)
        node.kill()
        survivor = KafkaTransport(settings.model_copy(update={"transport": f"kafka://{others}"}))
        assert await held(survivor) == list(range(5))
        node.start()
        await asyncio.to_thread(node.wait_ready)
