"""Whether brokers have what a user of Kafka needs, and let it do what it has to."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from connectors.kafka.admin import Admin
from connectors.kafka.operations import Operation
from connectors.kafka.refusals import forbidden
from connectors.kafka.rights import User
from connectors.kafka.topics import Found, Topic, name_of, plan
from stream.errors import ConfigError
from stream.kafka_spec import KafkaSpec

_LIMIT = "max.message.bytes"


async def check_rights(
    admin: Admin,
    options: Mapping[str, Any],
    user: User,
    spec: KafkaSpec,
    found: Mapping[str, Found],
) -> None:
    """Raise `ForbiddenError`, with a line for each topic and group, where a right is missing.

    ``found``: the user's topics that are there, by Kafka's names.
    """
    topics = {name_of(each, spec): needed for each, needed in user.topics.items()}
    groups = {name_of(each, spec): needed for each, needed in user.groups.items()}
    refused = [
        *((f"topic {each}", found[each].granted.missing(topics[each])) for each in sorted(found)),
        *[(f"group {each}", (await admin.granted(each)).missing(groups[each])) for each in groups],
    ]
    if told := list(_told(refused)):
        raise forbidden(options, told)


def _told(refused: Iterable[tuple[str, Collection[Operation]]]) -> Iterator[str]:
    for what, missing in refused:
        if missing:
            yield f"{what}: may not {', '.join(each.word for each in missing)}"


def check_topics(topics: list[Topic], found: Mapping[str, Found], written: Collection[str]) -> None:
    """Raise `ConfigError` unless all ``topics`` are there, and those ``written`` large enough."""
    needed = plan(topics, found)
    faults = [f"topic {topic.name} is missing" for topic in needed.missing]
    faults += [f"topic {each}" for each in needed.refused]
    for topic, different in needed.changed:
        given = found[topic.name].settings.get(_LIMIT)
        if topic.name in written and int(given or 0) < int(topic.settings[_LIMIT]):
            faults.append(
                f"topic {topic.name}: {_LIMIT} is {given}; "
                f"pictures.max_bytes needs {different[_LIMIT]}"
            )
    if faults:
        raise ConfigError("\n".join([*faults, "maskstream topics apply CONFIG makes the topics"]))
