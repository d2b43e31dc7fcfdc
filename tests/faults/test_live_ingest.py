"""A live camera whose ingest dies or freezes: a new epoch begins, and the old one is over."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors import open_transport
from stream import codec
from stream.audit import EpochAudit
from stream.config import load
from stream.types import MaskMessage, Result
from stream.watching import replay
from tests.faults.verdict import wait_for_results
from tests.support.roles import DATA, Deployment, deployment
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

LIVE = {"id": "yard", "url": str(DATA / "yard.mp4"), "mode": "live", "fps": 4}
"""It plays for 75 s."""
KILLS = 3
EACH = 20
"""Results that every ingest gets before something happens to it."""


@contextmanager
def watching(folder: Path, kafka: str) -> Iterator[Deployment]:
    """A live camera that is segmented and watched, but not read yet."""
    fresh = {"max_age": "3s"}  # a busy machine is no fault here
    with deployment(folder, kafka, cameras=[LIVE], freshness=fresh) as deployed:
        deployed.start("segment", "watch")
        yield deployed


def messages(deployed: Deployment, topic: str) -> list[Any]:
    """All of a topic; those of the camera are in order."""
    return asyncio.run(_messages(deployed, topic))


async def _messages(deployed: Deployment, topic: str) -> list[Any]:
    transport = open_transport(load(deployed.config, secrets=False))
    return [codec.decode(each) async for each in transport.whole(topic)]


def frames(deployed: Deployment) -> Counter[int]:
    """How many frames of each epoch brokers have."""
    return asyncio.run(_frames(deployed))


async def _frames(deployed: Deployment) -> Counter[int]:
    transport = open_transport(load(deployed.config, secrets=False))
    found = [each async for each in transport.whole("frames") if codec.kind_of(each) == "frame"]
    return Counter(codec.frame_id(each).epoch for each in found)


def last_epoch(deployed: Deployment) -> EpochAudit:
    return deployed.seen().audit.epochs[-1]


def assert_live(epoch: EpochAudit) -> None:
    """Every frame that came is answered, once, and next to all with a result."""
    assert epoch.missing == epoch.beyond == epoch.duplicates == epoch.out_of_order == 0
    assert epoch.results >= 0.99 * epoch.offered, epoch.gaps


def test_a_killed_live_ingest_leaves_an_unclosed_tail_and_nothing_missing(
    tmp_path: Path, kafka: str
) -> None:
    with watching(tmp_path, kafka) as deployed:
        for number in range(1, KILLS + 1):
            (ingest,) = deployed.start("ingest")
            wait_for_results(deployed, number * EACH)
            ingest.kill()
        (ingest,) = deployed.start("ingest")
        wait_for_results(deployed, (KILLS + 1) * EACH)
        assert ingest.stop() == 0
        wait_until(lambda: last_epoch(deployed).closed is not None, "the last epoch is closed")

        *killed, last = epochs = deployed.seen().audit.epochs
        assert [each.closed for each in epochs] == [None] * KILLS + ["stopped"]
        assert len(killed) == KILLS
        assert last.complete
        for each in epochs:
            assert_live(each)
        had = frames(deployed)  # all that brokers have of a killed process is answered
        assert [each.offered for each in killed] == [had[each.epoch] for each in killed]
        assert deployed.command("audit").count("unclosed") == KILLS


@pytest.mark.long
def test_what_a_thawed_ingest_still_writes_is_dropped_by_who_watches(
    tmp_path: Path, kafka: str
) -> None:
    with watching(tmp_path, kafka) as deployed:
        (zombie,) = deployed.start("ingest")
        wait_until(lambda: deployed.records("alerts") > 0, "an alert")
        zombie.signal(signal.SIGSTOP)
        (ingest,) = deployed.start("ingest")
        wait_until(lambda: last_epoch(deployed).results >= 3 * EACH, "a new epoch goes on")
        assert len(deployed.seen().audit.epochs) == 2
        assert_live(last_epoch(deployed))
        zombie.signal(signal.SIGCONT)  # what was due meanwhile comes at once, and makes some stale
        wait_until(lambda: len(parted(deployed)[1]) >= EACH, "the zombie's frames are segmented")
        assert [zombie.stop(), ingest.stop()] == [0, 0]
        assert [each.complete for each in deployed.wait_closed().audit.epochs] == [True, True]
        assert_watched(deployed)


def parted(deployed: Deployment) -> tuple[list[MaskMessage], list[MaskMessage]]:
    """What is on ``masks``, and apart from it what an epoch got once a later one had begun."""
    newest, kept, late = 0, list[MaskMessage](), list[MaskMessage]()
    for each in messages(deployed, "masks"):
        (late if each.epoch < newest else kept).append(each)
        newest = max(newest, each.epoch)
    return kept, late


def assert_watched(deployed: Deployment) -> None:
    """What is on ``tracks`` and ``alerts`` is as if nothing had come late, which is counted."""
    kept, late = parted(deployed)
    (watch,) = (each for each in deployed.processes if each.role == "watch")
    wait_until(
        lambda: watch.metric("duplicates_total", camera="yard") == len(late),
        f"{len(late)} messages are dropped",
    )
    settings = load(deployed.config, secrets=False)
    expected = replay(settings.rules, settings.zones, kept)
    assert {each.evidence.epoch for each in expected if each.evidence} == {
        each.epoch for each in kept
    }
    wait_until(lambda: deployed.records("alerts") >= len(expected), "the alerts are there")
    assert list(map(codec.to_json, messages(deployed, "alerts"))) == [
        codec.to_json(each) for each in expected
    ]
    results = [(each.epoch, each.seq) for each in kept if isinstance(each, Result)]
    wait_until(lambda: deployed.records("tracks") >= len(results), "all is tracked")
    assert [(each.epoch, each.seq) for each in messages(deployed, "tracks")] == results
