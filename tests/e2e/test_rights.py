"""Every role as the user of its own that `maskstream topics acls` prints the rights of."""

import asyncio
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from connectors.kafka.client import client_options
from connectors.kafka.rights import USERS, acls, user_of
from stream import codec
from stream.config import load
from stream.errors import EXIT_FORBIDDEN, EXIT_OK
from stream.ports import Record
from tests.faults.verdict import assert_whole, wait_for_alerts
from tests.support.alerts import opened
from tests.support.clips import write_clip
from tests.support.grants import KINDS, OPERATIONS, Acl, grant, limit, tenant
from tests.support.grants import acls as granted_by
from tests.support.kafka_transport import deleted
from tests.support.receiver import SECRET, UP, receiver
from tests.support.roles import MODEL, Deployment
from tests.support.secured import TENANTS, Secured, secured_broker
from tests.support.waiting import wait_until
from tests.support.web import looked, page, show

FORBIDDEN = 403
UNREADABLE = Record("hall", b"no record of ours", {})
WHOLE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
LOGGED = "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=debug"
_ALLOWED = re.compile(
    r"Principal = (\S+) is Allowed operation = (\w+) from .* on resource = (\w+):LITERAL:(\S+) "
)


def test_a_role_without_rights_says_which_and_ends(tmp_path: Path, secured: Secured) -> None:
    with tenant(tmp_path, secured, TENANTS[2]) as deployed:
        done = deployed.tried("watch", user="watch")
    assert done.returncode == EXIT_FORBIDDEN, done.stderr
    (said,) = map(json.loads, done.stderr.splitlines())
    *refused, advice = said["event"].splitlines()
    assert len(refused) == len(USERS["watch"].topics) + len(USERS["watch"].groups)
    assert all(each.startswith(f"kafka: user {TENANTS[2]}watch: ") for each in refused)
    assert advice == "maskstream topics acls CONFIG prints what each role needs"


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("watch", ["watch", "watch --host faust"])
def test_all_roles_work_with_the_rights_that_are_printed(
    watch: str, tmp_path: Path, secured: Secured
) -> None:
    prefix = TENANTS[3 if watch == "watch" else 4]
    with receiver(UP) as ops, tenant(tmp_path, secured, prefix, web={"port": 0}) as deployed:
        deployed.tell(ops)
        limit(deployed, secured, "SASL_SSL")
        granted = granted_by(deployed.command("topics", "acls").splitlines())
        asyncio.run(grant(secured.address("PLAINTEXT"), granted))
        readers = deployed.start("segment", watch, "notify", "web")
        deployed.start("ingest")
        assert_whole(deployed.wait_closed())
        wait_for_alerts(deployed)
        assert_told(ops.taken, deployed)
        told = asyncio.run(looked(page(readers[3]), partial(show, deployed, 9000)))
        assert told["pixels"].shape in {(48, 64, 3), (468, 832, 3)}, "the one above, or the clip's"
        for reader in readers:
            assert reader.answers("/livez")
            assert reader.answers("/readyz")
            assert not [each for each in reader.said() if each["level"] == "error"], reader.text()
        assert "complete" in deployed.tried("audit", user="audit").stdout
        assert [each.stop() for each in readers] == [EXIT_OK] * 4
        assert "canary" not in "".join(each.text() for each in deployed.processes)


def assert_told(taken: Any, deployed: Deployment) -> None:
    """The receiver has every alert."""
    wanted = len(deployed.seen().alerts)
    wait_until(lambda: len(taken) >= wanted, "the receiver has every alert")


@pytest.fixture
def logging_broker(tmp_path: Path) -> Iterator[Secured]:
    (tmp_path / "broker").mkdir()
    with secured_broker(tmp_path / "broker", LOGGED) as broker:
        yield broker


@pytest.mark.slow
@pytest.mark.long
def test_no_user_has_a_right_that_it_does_not_use(tmp_path: Path, logging_broker: Secured) -> None:
    """All that a role may ever do is done once, and the broker's log tells which rights that took.

    What is described by those who may read or write it needs no right of its own.
    """
    broker, folder = logging_broker, tmp_path / "deployed"
    folder.mkdir()
    with receiver(FORBIDDEN) as pager, tenant(folder, broker, TENANTS[0]) as deployed:
        configure(deployed, pager.url)
        deployed.command("topics", "apply")
        limit(deployed, broker)
        spec = load(deployed.config, secrets=False)
        granted = granted_by(acls(spec))
        asyncio.run(grant(broker.address("PLAINTEXT"), granted))
        exercise(deployed)
        make_topics(deployed)
        measure(deployed)
        used = {
            Acl(KINDS[kind.lower()], name, 3, principal, "*", OPERATIONS[_word(operation)], 3)
            for principal, operation, kind, name in _ALLOWED.findall(broker.log.read_text())
            if _word(operation) in OPERATIONS and kind.lower() in KINDS
        }
        assert sorted(map(_told, set(granted) - used)) == []


def exercise(deployed: Deployment) -> None:
    """Have every role do all that it ever does."""
    evidence = deployed.folder / "evidence"
    (ingest,) = deployed.start("ingest")
    assert ingest.popen.wait(60) == EXIT_OK
    for topic in ("frames", "frames-archive"):
        asyncio.run(deleted(load(deployed.config, secrets=False), topic, 3))
    for topic in ("frames-archive", "masks", "masks.next"):
        deployed.write(topic, [UNREADABLE])
    segment_files(deployed)
    deployed.write("frames-archive", [UNREADABLE])
    deployed.write("alerts", [codec.encode(opened("a1", "pager"))])
    segments = [deployed.start_bright(role) for role in ("segment", "shadow")]
    (*first, web) = deployed.start("watch", "notify", "web")
    wait_until(lambda: deployed.records("dead-letters") >= 4, "each has written a dead letter")
    wait_until(lambda: deployed.records("alerts") >= 2, "watch has told of an alert")
    assert [each.stop() for each in first] == [EXIT_OK] * 2
    later = deployed.start("watch", "notify", "compare")
    tracks = deployed.records("tracks")
    deployed.start("ingest")
    wait_until(lambda: deployed.records("tracks") > tracks, "watch goes on where it was")
    wait_until(lambda: any(evidence.rglob("*gate*")), "a frame of the live camera is stored")
    for user, words in [
        ("audit", ["audit"]), ("audit", ["audit", "--shadow"]), ("audit", ["cameras", "status"]),
        ("replay", ["alerts", "replay"]),
    ]:  # fmt: skip
        done = deployed.tried(*words, user=user)
        assert done.returncode == EXIT_OK, done.stderr
    for words, more in [(["cameras", "remove"], ["hall"]), (["cameras", "apply"], [])]:
        done = deployed.tried(*words, more=more, user="cameras")
        assert done.returncode == EXIT_OK, done.stderr
    assert later[-1].answers("/readyz"), later[-1].text()
    assert {each.stop() for each in (*segments, web, *later)} == {EXIT_OK}


def segment_files(deployed: Deployment) -> None:
    """By a segment of their own, which meets one that is bad."""
    segment = deployed.start_bright("segment-archive")
    wait_until(lambda: deployed.records("dead-letters") >= 1, "it has written a dead letter")
    assert segment.stop() == EXIT_OK


def configure(deployed: Deployment, url: str) -> None:
    clip = write_clip(deployed.folder / "grey.mp4", 40)
    secret = deployed.folder / "secret"
    secret.write_text(SECRET)
    endpoint = {"id": "pager", "url": url, "secret": {"file": str(secret)}, "allow_private": True}
    rule = {"kind": "presence", "frames": 1, "notify": ["pager"]}
    cameras = ("hall", "gate")
    deployed.configure(
        cameras=[
            {"id": "hall", "url": str(clip), "mode": "archive", "partition": 0},
            {"id": "gate", "url": str(clip), "mode": "live", "partition": 0},
        ],
        zones=[{"id": each, "camera": each, "polygon": WHOLE} for each in cameras],
        rules=[{**rule, "id": f"in-{each}", "zone": each} for each in cameras],
        endpoints=[endpoint],
        evidence={"store": str(deployed.folder / "evidence")},
        web={"port": 0},
        shadow={**MODEL, "name": "next"},
    )


def make_topics(deployed: Deployment) -> None:
    """As their user, from nothing, and then larger."""
    asyncio.run(_deleted_topics(load(deployed.config, secrets=False)))
    for max_bytes in (1_000_000, 2_000_000):
        path = deployed.own["topics"]
        document = json.loads(path.read_text()) | {"pictures": {"max_bytes": max_bytes}}
        path.write_text(json.dumps(document))
        done = deployed.tried("topics", "apply", user="topics")
        assert done.returncode == EXIT_OK, done.stderr


async def _deleted_topics(spec: Any) -> None:
    client: Any = AIOKafkaAdminClient(**client_options(spec.transport, spec.kafka))
    await client.start()
    made = user_of("topics", spec).makes
    await client.delete_topics([f"{spec.kafka.prefix}{each}" for each in made])
    await client.close()


def measure(deployed: Deployment) -> None:
    """Ask for lags, as KEDA does."""
    asyncio.run(_measured(load(deployed.own["keda"])))


async def _measured(spec: Any) -> None:
    options, prefix = client_options(spec.transport, spec.kafka), spec.kafka.prefix
    client: Any = AIOKafkaAdminClient(**options)
    await client.start()
    for group in USERS["keda"].follows:
        await client.list_consumer_group_offsets(f"{prefix}{group}")
    await client.close()
    consumer: Any = AIOKafkaConsumer(**options)
    await consumer.start()
    for topic in USERS["keda"].measures:
        await consumer.end_offsets([TopicPartition(f"{prefix}{topic}", 0)])
    await consumer.stop()


def _word(operation: str) -> str:
    return "".join(map(str.capitalize, operation.split("_")))


def _told(acl: Acl) -> str:
    (word,) = (each for each, number in OPERATIONS.items() if number == acl.operation)
    return f"{acl.principal} {word} {acl.name}"
