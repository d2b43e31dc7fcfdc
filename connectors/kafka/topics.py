"""The topics: what each is for decides how it is kept.

`stream` names topics; here they get Kafka's names and settings. `plan` compares what is there with
what should be, and `apply` makes it so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.kafka.operations import EVERYTHING, Granted
from stream.kafka_spec import MINUTE, RETENTION_S, KafkaSpec
from stream.specs import duration

COMPACTED = {
    "cameras": "compact",
    "camera-status": "compact",
    "watch-state": "compact",
    "deliveries": "compact,delete",
}
TOPICS = (*RETENTION_S, "cameras", "camera-status", "watch-state")
HEADROOM_BYTES = 64 * 1024
"""Headers and what the broker adds to a record."""
SEGMENT_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Topic:
    """A topic as it should be."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """A topic as it is; ``replication`` is that of the partition with the fewest copies, and
    ``granted`` what we may do with it.
    """

    partitions: int
    replication: int
    settings: Mapping[str, str]
    granted: Granted = EVERYTHING


@dataclass(frozen=True)
class Plan:
    """What `apply` would do; ``refused`` says what it never does."""

    missing: tuple[Topic, ...]
    changed: tuple[tuple[Topic, Mapping[str, str]], ...]
    refused: tuple[str, ...]


def name_of(topic: str, spec: KafkaSpec) -> str:
    """Kafka's name of a topic or group."""
    return spec.prefix + topic


def wanted(spec: KafkaSpec, most_bytes: int, *more: str) -> list[Topic]:
    """All topics as they should be, and ``more``, as ``masks.next``, each like the one that its
    name begins with; ``most_bytes`` is the largest picture.
    """
    return [
        Topic(
            name_of(topic, spec),
            spec.partitions,
            spec.replication,
            _settings(topic, spec, most_bytes),
        )
        for topic in dict.fromkeys((*TOPICS, *more))
    ]


def _settings(topic: str, spec: KafkaSpec, most_bytes: int) -> dict[str, str]:
    policy = COMPACTED.get(topic, "delete")
    settings = {
        "cleanup.policy": policy,
        "compression.type": "producer",
        # A writer's wild clock neither moves a deletion nor has its records refused.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(
            letter_bytes(most_bytes) if topic == "dead-letters" else record_bytes(most_bytes)
        ),
        "min.insync.replicas": str(copies_of_a_write(spec)),
        "segment.bytes": str(SEGMENT_BYTES),
    }
    chosen: Mapping[str, float] = dict(spec.retention)  # type: ignore[arg-type]
    kind = topic.partition(".")[0]
    if (kept_s := chosen.get(kind, RETENTION_S.get(kind))) is not None:
        settings["retention.ms"] = str(round(kept_s * 1000))
        # Whole segments are deleted, and only closed ones: a tenth keeps what is over small.
        settings["segment.ms"] = str(round(max(kept_s / 10, MINUTE) * 1000))
    return settings


def copies_of_a_write(spec: KafkaSpec) -> int:
    """How many copies have to have a record before it is acknowledged: one broker may be away."""
    return max(1, spec.replication - 1)


def record_bytes(most_bytes: int) -> int:
    """The largest record where the largest picture has ``most_bytes``."""
    return most_bytes + HEADROOM_BYTES


def letter_bytes(most_bytes: int) -> int:
    """The largest dead letter: the largest record, and the headers that say what is wrong."""
    return record_bytes(most_bytes) + HEADROOM_BYTES


def plan(topics: list[Topic], found: Mapping[str, Found]) -> Plan:
    """What it takes to make ``topics`` of what is ``found`` (by name)."""
    missing, changed, refused = [], [], []
    for topic in topics:
        there = found.get(topic.name)
        if there is None:
            missing.append(topic)
            continue
        if there.partitions != topic.partitions:
            refused.append(
                f"{topic.name}: has {there.partitions} partitions, kafka.partitions says "
                f"{topic.partitions}; cameras would change partition and lose their order"
            )
        if there.replication < topic.replication:
            refused.append(
                f"{topic.name}: has replication {there.replication}, kafka.replication says "
                f"{topic.replication}; kafka-reassign-partitions adds copies"
            )
        different = {k: v for k, v in topic.settings.items() if there.settings.get(k) != v}
        if different:
            changed.append((topic, different))
    return Plan(tuple(missing), tuple(changed), tuple(refused))


def lines(plan: Plan, found: Mapping[str, Found]) -> list[str]:
    """The plan for people: + what is made, ~ what is changed, ! what is refused."""
    told = []
    for topic in plan.missing:
        kept = topic.settings.get("retention.ms")
        how = topic.settings["cleanup.policy"]
        how += f", {duration(int(kept) / 1000)}" if kept else ""
        told.append(
            f"+ {topic.name}: partitions {topic.partitions}, replication {topic.replication}, {how}"
        )
    for topic, different in plan.changed:
        for key, value in sorted(different.items()):
            given = found[topic.name].settings.get(key, "unset")
            told.append(f"~ {topic.name}: {key}: {given} -> {value}")
    return told + [f"! {each}" for each in plan.refused]
