"""``maskstream rules test`` on the topic ``masks`` of a real broker."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka import KafkaTransport
from stream import codec
from stream.cli.rules import Files, crew, try_rules
from stream.config import load
from stream.errors import EXIT_OK, ConfigError
from stream.ports import Record
from stream.specs import CameraSpec
from stream.types import MaskMessage
from tests.support.kafka_transport import apply, deleted, kafka_settings
from tests.support.recorded import CONFIG, at_us, seen
from tests.support.topics import fill
from tests.support.waiting import wait_until

Configure = Callable[[int], Path]


@pytest.fixture
def configured(kafka: str, tmp_path: Path) -> Configure:
    """A configuration with empty topics of its own, of so many partitions."""

    def make(partitions: int) -> Path:
        own = kafka_settings(kafka, partitions=partitions)
        told = {"transport": own.transport, "kafka": own.kafka.model_dump(mode="json")}
        path = tmp_path / "hall.yaml"
        path.write_text(CONFIG + "".join(f"{key}: {json.dumps(told[key])}\n" for key in told))
        asyncio.run(KafkaTransport(load(path)).apply())
        return path

    return make


@pytest.fixture
def config(configured: Configure) -> Path:
    return configured(2)


def write(config: Path, records: Iterable[Record | MaskMessage]) -> None:
    async def send() -> None:
        async with KafkaTransport(load(config)).outbox("masks") as outbox:
            await fill(outbox, "masks", records)

    asyncio.run(send())


def changes(config: Path, since: str | None = None) -> list[tuple[str, str, int]]:
    """(rule, state, second) of each change, as they are told."""
    file = config.parent / "changes.jsonl"
    assert try_rules(config, None, since, Files(json=file)) == EXIT_OK
    found: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()]
    return [(each["rule"], each["state"], (each["time_us"] - at_us(0)) // 10**6) for each in found]


def test_what_the_topic_keeps_is_replayed(config: Path) -> None:
    write(config, seen("..xx..x"))
    assert changes(config) == [
        ("in-door", "opened", 2),
        ("in-door", "resolved", 4),
        ("in-door", "opened", 6),
    ]


def test_it_may_begin_in_the_middle_of_an_epoch(configured: Configure) -> None:
    config = configured(1)
    write(config, seen("..xx.....xx..", epoch=3))
    asyncio.run(deleted(load(config), "masks", 6))
    assert changes(config) == [("in-door", "opened", 9), ("in-door", "resolved", 11)]


def test_of_what_the_topic_keeps_only_what_came_since_is_replayed(config: Path) -> None:
    write(config, seen("..xx.."))
    since = datetime.now(UTC) + timedelta(milliseconds=2)  # the log counts in milliseconds
    wait_until(lambda: datetime.now(UTC) > since, "a few milliseconds later")
    write(config, seen("..xx..", first=6))
    assert changes(config, since.isoformat()) == [
        ("in-door", "opened", 8),
        ("in-door", "resolved", 10),
    ]
    assert len(changes(config, "7d")) == 4


def test_a_poison_record_costs_its_camera_one_result(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [codec.encode(each) for each in seen("..xx..x.")]
    bad = replace(good[4], value=bytes(good[4].value).replace(b'"instances":[]', b'"instances":7'))
    write(config, [*good[:4], bad, *good[5:], *seen("....", "yard")])
    assert changes(config) == [
        ("in-door", "opened", 2),
        ("in-door", "resolved", 5),
        ("in-door", "opened", 6),
        ("in-door", "resolved", 7),
    ]
    warned = capsys.readouterr().err
    assert "warning: camera hall: 1 result cannot be read; first masks: hall/1/4/result: " in warned
    assert "camera yard" not in warned


def test_a_camera_that_moved_to_another_partition_is_replayed_as_it_was(config: Path) -> None:
    write(config, seen("..xx..", epoch=1))  # not placed yet: in the second partition
    transport = KafkaTransport(load(config))
    hall = CameraSpec(id="hall", url="hall.mp4", mode="archive")
    asyncio.run(apply(transport, [hall]))  # placed in the first
    write(config, seen("..xx..", first=6, epoch=2))
    assert asyncio.run(halves(transport)) == [6, 6]
    assert [second for _, _, second in changes(config)] == [2, 4, 8, 10]


async def halves(transport: KafkaTransport) -> list[int]:
    """How many records each partition has."""
    async with transport._reader() as reader:
        return [await reader.end(each) for each in transport._partitions("masks")]


def test_cameras_of_several_partitions_are_told_as_it_happened(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "ROUND", 8)
    rules = "  - {id: in-yard, kind: presence, camera: yard, frames: 1, resolve: 0}\n"
    config.write_text(config.read_text().replace("rules:\n", f"rules:\n{rules}"))
    write(config, chain(*zip(seen("..xx...."), seen("...xx...", "yard"), strict=True)))
    told = changes(config)
    assert sorted(told) == [
        ("in-door", "opened", 2),
        ("in-door", "resolved", 4),
        ("in-yard", "opened", 3),
        ("in-yard", "resolved", 5),
    ]


def test_topics_that_are_not_there_are_named(kafka: str, config: Path) -> None:
    config.write_text(config.read_text().replace('"prefix": "', '"prefix": "other-'))
    with pytest.raises(ConfigError, match=r"topic other-.*masks is missing"):
        changes(config)
