"""How far a process on ``kafka://`` is, as the brokers say: what its probes go by."""

import asyncio
from itertools import count

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from connectors.kafka import KafkaTransport
from stream.ports import AskProgress, Progress, Share
from tests.support.kafka import Copies, Node, coordinator, copies
from tests.support.kafka_transport import PARTITIONS, fresh_transport, kafka_settings
from tests.support.records import some, write

LIVE, ARCHIVE = "frames", "frames-archive"
GROUP = "segment"


async def test_a_process_is_assigned_once_all_that_it_reads_is(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    async with transport.progress() as ask:
        assert await ask() == Progress(False, {})
        async with transport.inbox(LIVE, GROUP):
            assert (await ask()).is_assigned
            async with transport.inbox(ARCHIVE, GROUP):
                assert (await ask()).is_assigned
        assert not (await ask()).is_assigned


async def test_who_shares_the_cameras_is_assigned_once_the_group_has_said_so(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    async with transport.registry() as registry, transport.progress() as ask:
        assert not (await ask()).is_assigned
        async with registry.share():
            assert await ask() == Progress(True, {})
        assert not (await ask()).is_assigned


async def test_work_is_told_by_topic_and_before_anything_of_it_was_read(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    await write(transport, 3, LIVE)
    await write(transport, 5, ARCHIVE)
    async with (
        transport.inbox(LIVE, GROUP) as live,
        transport.inbox(ARCHIVE, GROUP),
        transport.progress() as ask,
    ):
        assert (await ask()).shares == {LIVE: Share(0, 3), ARCHIVE: Share(0, 5)}
        lags = {topic: share.lags for topic, share in (await ask()).shares.items()}
        assert sum(lags[LIVE].values()) == 3
        assert len(lags[ARCHIVE]) == PARTITIONS
        await live.commit(await some(live, 2))
        assert (await ask()).shares == {LIVE: Share(2, 1), ARCHIVE: Share(0, 5)}


async def test_work_that_came_after_the_last_fetch_is_told(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    await write(transport, 1)
    async with transport.inbox(ARCHIVE, GROUP) as inbox, transport.progress() as ask:
        await inbox.commit(await some(inbox, 1))
        await write(transport, 4)
        assert (await ask()).shares == {ARCHIVE: Share(1, 4)}


async def test_records_that_are_gone_wait_for_nobody(kafka: str) -> None:
    settings = kafka_settings(kafka, partitions=1)
    transport = KafkaTransport(settings)
    await transport.apply()
    await write(transport, 5)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    partition = TopicPartition(settings.kafka.prefix + ARCHIVE, 0)
    await admin.delete_records({partition: RecordsToDelete(4)})
    await admin.close()
    async with transport.inbox(ARCHIVE, GROUP), transport.progress() as ask:
        assert (await ask()).shares == {ARCHIVE: Share(0, 1)}


async def group_of(prefix: str, bootstrap: str, node: int) -> str:
    """A group whose members talk to ``node``."""
    for number in count():
        if await coordinator(bootstrap, f"{prefix}{number}.{ARCHIVE}") == node:
            return str(number)
    raise AssertionError


async def told(ask: AskProgress, *, is_known: bool) -> None:
    """Return once the work is told, or is not."""
    async with asyncio.timeout(60):
        while bool((await ask()).shares) != is_known:  # noqa: ASYNC110 - brokers call nobody
            await asyncio.sleep(0.5)


@pytest.mark.long
@pytest.mark.slow
async def test_nothing_is_told_while_too_few_brokers_are_left_to_write(kafka3: list[Node]) -> None:
    """Though the one that is left answers all that is asked."""
    bootstrap = ",".join(node.bootstrap for node in kafka3)
    settings = kafka_settings(bootstrap, replication=3, partitions=1)
    transport = KafkaTransport(settings)
    await transport.apply()
    await write(transport, 5)
    found = await copies(bootstrap, settings.kafka.prefix + ARCHIVE, 0)
    assert found == Copies(found.leader, frozenset({1, 2, 3}))
    group = await group_of(settings.kafka.prefix, bootstrap, found.leader)
    others = [node for node in kafka3 if node.number != found.leader]
    async with transport.inbox(ARCHIVE, group), transport.progress() as ask:
        for _ in range(2):  # the second time it stands still
            assert (await ask()).shares == {ARCHIVE: Share(0, 5)}
        for node in others:
            node.kill()
        await told(ask, is_known=False)
        for _ in range(5):
            assert await ask() == Progress(True, {})
        for node in others:
            node.start()
        for node in others:
            await asyncio.to_thread(node.wait_ready)
        await told(ask, is_known=True)
