"""Who only looks at a topic on a real broker: from now on, and without anybody noticing."""

from aiokafka.admin import AIOKafkaAdminClient

from connectors.kafka import KafkaTransport
from connectors.kafka.onlooker import FAR
from tests.support.kafka_transport import fresh_transport, kafka_settings
from tests.support.records import numbers, record, some, write


async def test_two_see_the_same_and_nothing_from_before(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    await write(transport, 3, "masks")
    async with transport.onlooker("masks") as one, transport.onlooker("masks") as other:
        async with transport.outbox("masks") as outbox:
            for number in (7, 8):
                await outbox.send("masks", record(number))
            await outbox.flush()
        for onlooker in (one, other):
            found = await some(onlooker, 2)
            await onlooker.commit(found)
            assert numbers(found) == [7, 8]
            assert all(each.topic == "masks" for each in found)


async def test_no_group_is_left_behind(kafka: str) -> None:
    settings = kafka_settings(kafka)
    transport = KafkaTransport(settings)
    await transport.apply()
    async with transport.onlooker("masks") as onlooker:
        await write(transport, 1, "masks")
        await some(onlooker, 1)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    groups = [name for name, _ in await admin.list_consumer_groups()]
    await admin.close()
    assert not [name for name in groups if name.startswith(settings.kafka.prefix)]


async def test_who_is_far_behind_with_pictures_passes_over_what_waits(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    async with transport.onlooker("frames") as pictures, transport.onlooker("masks") as masks:
        for topic in ("frames", "masks"):
            await write(transport, 2 * FAR, topic)
        assert numbers(await masks.receive(1, 10.0)) == [0]
        assert numbers(await masks.receive(1, 10.0)) == [1]
        assert numbers(await pictures.receive(1, 10.0)) == [0]
        await write(transport, 1, "frames")
        (later,) = await some(pictures, 1)
        assert int(later.record.value) >= FAR
