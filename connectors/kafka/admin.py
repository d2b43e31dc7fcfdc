"""Asking brokers about topics and groups, and making topics."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from connectors.kafka.greeting import greet, unreachable
from connectors.kafka.operations import Granted, Operation
from connectors.kafka.patience import patiently
from connectors.kafka.questions import GroupsRequest, TopicsRequest
from connectors.kafka.refusals import forbidden
from connectors.kafka.topics import Found, Plan, Topic
from stream.errors import ConfigError, ConnectError

_MISSING = UnknownTopicOrPartitionError.errno
_REFUSED = TopicAuthorizationFailedError.errno


class Admin:
    """What maskstream asks of an administrator's connection."""

    def __init__(self, client: AIOKafkaAdminClient, options: Mapping[str, Any]) -> None:
        self._client: Any = client
        self._options = options

    async def found(self, names: Iterable[str]) -> dict[str, Found]:
        """The topics of these names that are there; settings of those alone that we may see."""
        there = [each for each in await self._topics(names) if each["error_code"] != _MISSING]
        settings = await self._settings([each["topic"] for each in there])
        return {
            each["topic"]: Found(
                len(each["partitions"]),
                min((len(partition["replicas"]) for partition in each["partitions"]), default=0),
                settings.get(each["topic"], {}),
                Granted(0 if each["error_code"] == _REFUSED else each["operations"]),
            )
            for each in there
        }

    async def _topics(self, names: Iterable[str]) -> list[Any]:
        client = self._client._client  # an administrator has no public way to ask what is not his
        try:
            answer = await client.send(client.get_random_node(), TopicsRequest(names))
        except NotImplementedError:
            servers = ", ".join(self._options["bootstrap_servers"])
            raise ConnectError(f"kafka: {servers}: is older than Kafka 2.3") from None
        found: list[Any] = answer.to_object()["topics"]
        return found

    async def _settings(self, names: list[str]) -> dict[str, dict[str, str]]:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        answers = await self._client.describe_configs(asked)
        return {
            name: {entry[0]: entry[1] for entry in entries}
            for answer in answers
            for code, _, _, name, entries in answer.resources
            if not code
        }

    async def granted(self, group: str) -> Granted:
        """What we may do with a group. Waits while brokers are away."""
        try:
            node = await patiently(lambda: self._client.find_coordinator(group))
            answer = await self._client._client.send(node, GroupsRequest(group))
        except GroupAuthorizationFailedError:
            return Granted(0)
        (found,) = answer.to_object()["groups"]
        return Granted(found["operations"])

    async def apply(self, plan: Plan) -> None:
        """Make what is missing and change what is different.

        Raises `ConfigError` with the broker's words where it refuses, `ForbiddenError` where we
        may not.
        """
        if plan.missing:
            made = await self._client.create_topics([_new(topic) for topic in plan.missing])
            for name, code, *rest in made.topic_errors:
                self._check(name, code, rest[0] if rest else None, Operation.CREATE)
        if plan.changed:
            changed = [
                ConfigResource(ConfigResourceType.TOPIC, topic.name, dict(topic.settings))
                for topic, _ in plan.changed
            ]
            for answer in await self._client.alter_configs(changed):
                for code, message, _, name in answer.resources:
                    self._check(name, code, message, Operation.ALTER_CONFIGS)

    def _check(self, name: str, code: int, message: str | None, doing: Operation) -> None:
        error = for_code(code)
        if code == _REFUSED:
            raise forbidden(self._options, [f"topic {name}: may not {doing.word}"])
        if code and error is not TopicAlreadyExistsError:  # another process applies as well
            raise ConfigError(f"topic {name}: {message or error.description}")

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
        client = self._client._client
        nodes = [each.nodeId for each in client.cluster.brokers()]
        try:
            await asyncio.gather(*(client.send(node, MetadataRequest([])) for node in nodes))
            found = await self._topics(topics)
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
            yield Admin(client, options)
        finally:
            await client.close()
    except KafkaError as error:
        raise unreachable(options, error) from error


def _new(topic: Topic) -> NewTopic:
    settings = dict(topic.settings)
    return NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=settings)
