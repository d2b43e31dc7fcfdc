"""Asking brokers about topics and groups, and making topics."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from connectors.kafka.greeting import greet, unreachable
from connectors.kafka.patience import patiently
from connectors.kafka.topics import Found, Plan, Topic
from stream.errors import ConfigError


class Admin:
    """What maskstream asks of an administrator's connection."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client: Any = client

    async def found(self, names: Iterable[str]) -> dict[str, Found]:
        """The topics of these names that are there."""
        there = set(await self._client.list_topics())
        wanted = [name for name in names if name in there]
        if not wanted:
            return {}
        settings = await self._settings(wanted)
        return {
            each["topic"]: Found(
                len(each["partitions"]),
                min(len(partition["replicas"]) for partition in each["partitions"]),
                settings[each["topic"]],
            )
            for each in await self._client.describe_topics(wanted)
        }

    async def _settings(self, names: list[str]) -> dict[str, dict[str, str]]:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        answers = await self._client.describe_configs(asked)
        return {
            name: {entry[0]: entry[1] for entry in entries}
            for answer in answers
            for _, _, _, name, entries in answer.resources
        }

    async def apply(self, plan: Plan) -> None:
        """Make what is missing and change what is different.

        Raises `ConfigError` with the broker's words where it refuses.
        """
        if plan.missing:
            made = await self._client.create_topics([_new(topic) for topic in plan.missing])
            for name, code, *rest in made.topic_errors:
                _check(name, code, rest[0] if rest else None)
        if plan.changed:
            changed = [
                ConfigResource(ConfigResourceType.TOPIC, topic.name, dict(topic.settings))
                for topic, _ in plan.changed
            ]
            for answer in await self._client.alter_configs(changed):
                for code, message, _, name in answer.resources:
                    _check(name, code, message)

    async def committed(self, group: str, topic: str) -> Mapping[int, int]:
        """The next offset that ``group`` needs of each partition of ``topic``, where it has one.

        Waits while brokers are away.
        """
        offsets = await patiently(lambda: self._client.list_consumer_group_offsets(group))
        return {
            each.partition: at.offset
            for each, at in offsets.items()
            if each.topic == topic and at.offset >= 0
        }

    async def can_write(self, topics: Iterable[str], copies: int) -> bool:
        """Whether each partition of ``topics`` has a leader and ``copies`` in step.

        Every broker that is counted on has to answer as well: without a quorum of controllers,
        those that are left go on telling what was so before.
        """
        client = self._client._client  # an administrator has no public way to ask each broker
        nodes = [each.nodeId for each in client.cluster.brokers()]
        try:
            await asyncio.gather(*(client.send(node, MetadataRequest([])) for node in nodes))
            found = await self._client.describe_topics(list(topics))
        except KafkaError:
            return False
        partitions = [each for topic in found for each in topic["partitions"]]
        return all(each["leader"] >= 0 and len(each["isr"]) >= copies for each in partitions)


@asynccontextmanager
async def open_admin(options: Mapping[str, Any]) -> AsyncIterator[Admin]:
    """Connect. Raises `ConnectError` when no broker answers, or one fails meanwhile."""
    await greet(options)
    client = AIOKafkaAdminClient(**options)
    try:
        try:
            await client.start()
            yield Admin(client)
        finally:
            await client.close()
    except KafkaError as error:
        raise unreachable(options, error) from error


def _new(topic: Topic) -> NewTopic:
    settings = dict(topic.settings)
    return NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=settings)


def _check(name: str, code: int, message: str | None) -> None:
    error = for_code(code)
    if code and error is not TopicAlreadyExistsError:  # another process applies as well
        raise ConfigError(f"topic {name}: {message or error.description}")
