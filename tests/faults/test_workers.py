"""``segment --workers``: several processes that look and end as one."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocol

from connectors.kafka.inbox import SESSION_MS
from stream.cli.bench.clips import beginning
from stream.errors import EXIT_FORCED, EXIT_OK
from tests.faults.verdict import FRAMES, assert_each_whole, wait_for_results
from tests.support.roles import DATA, MODEL, PARTITIONS, STOP_S, Deployment, Process, deployment
from tests.support.waiting import wait_until

TWO = "segment --workers 2"
SHORT = 60
"""Frames that two workers have soon."""
CAMERAS = [
    {"id": f"yard-{n}", "url": str(DATA / "yard.mp4"), "mode": "archive", "fps": 4, "partition": n}
    for n in (0, PARTITIONS - 1)
]
SMALL: dict[str, Any] = {
    "cameras": CAMERAS, "zones": [], "rules": [], "model": {**MODEL, "image_size": 128},
}  # fmt: skip


def pids(parent: Process) -> list[int]:
    """Of the workers, once all are started."""
    pattern = re.compile(r"worker \d is process (\d+)")
    wait_until(lambda: len(pattern.findall(parent.text())) == 2, "two workers are started")
    return [int(pid) for pid in pattern.findall(parent.text())]


def against(parent: Process, path: str) -> str:
    """What a probe has against the workers; nothing where it says ok."""
    try:
        parent.get(path)
    except HTTPError as error:
        return error.read().decode()
    return ""


def wait_ready(parent: Process) -> None:
    wait_until(lambda: parent.answers("/readyz"), "both workers are ready")


@contextmanager
def two_ready(folder: Path, kafka: str) -> Iterator[tuple[Deployment, Process]]:
    """A deployment, and the parent of two workers that are ready."""
    with deployment(folder, kafka, **SMALL) as deployed:
        segment = deployed.begin(TWO)
        wait_ready(segment)
        yield deployed, segment


def is_gone(pid: int) -> bool:
    """Whether a process has ended; nobody may have asked for its exit code yet."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


async def assigned(deployed: Deployment, bootstrap: str) -> list[list[int]]:
    """The partitions of files that each segment has."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        group = f"{deployed.prefix}segment.frames-archive"
        (answer,) = await client.describe_consumer_groups([group])
    finally:
        await client.close()
    ((_, _, _, _, _, members, *_),) = answer.groups
    shares = [ConsumerProtocol.ASSIGNMENT.decode(member[4]).assignment for member in members]
    return [partitions for ((_, partitions),) in shares]


@pytest.mark.slow
def test_two_workers_share_the_frames_and_answer_probes_as_one(tmp_path: Path, kafka: str) -> None:
    clip = str(beginning(DATA / "yard.mp4", SHORT, tmp_path))
    short = [{**camera, "url": clip, "fps": None} for camera in CAMERAS]
    with deployment(tmp_path, kafka, **{**SMALL, "cameras": short}) as deployed:
        segment = deployed.begin("segment --mode archive --workers 2")
        one, other = pids(segment)
        os.kill(other, signal.SIGSTOP)
        wait_until(
            lambda: "segment-archive: started" in segment.events(worker=1), "one has started"
        )
        wait_until(
            lambda: against(segment, "/readyz") == "worker 2 has not started\n", "one is ready"
        )
        os.kill(other, signal.SIGCONT)
        wait_ready(segment)
        one_has, other_has = asyncio.run(assigned(deployed, kafka))
        assert len(one_has) == len(other_has)
        assert {*one_has, *other_has} == {*range(PARTITIONS)}
        deployed.start("ingest")
        seen = deployed.wait_closed()
        assert_each_whole(seen, SHORT, crashes=0)
        for camera in CAMERAS:
            assert segment.metric("results_total", camera=str(camera["id"])) == SHORT
        os.kill(one, signal.SIGSTOP)
        wait_until(
            lambda: against(segment, "/livez") == "worker 1 gave no answer for 0.8 s\n", "it hangs"
        )
        os.kill(one, signal.SIGCONT)
        wait_until(partial(segment.answers, "/livez"), "both live")
        assert segment.stop() == 0
        assert deployed.command("audit").count("complete") == len(CAMERAS)


@pytest.mark.long
@pytest.mark.slow
def test_the_death_of_a_worker_ends_all_and_loses_nothing(tmp_path: Path, kafka: str) -> None:
    with two_ready(tmp_path, kafka) as (deployed, segment):
        deployed.start("ingest")
        wait_for_results(deployed, 20)
        os.kill(pids(segment)[1], signal.SIGKILL)
        assert segment.popen.wait(SESSION_MS / 1e3 + 10) == 128 + signal.SIGKILL
        assert "worker 2 ended with exit code 137 (Killed); the others finish" in segment.text()
        again = deployed.begin(TWO)
        assert_each_whole(deployed.wait_closed(), FRAMES, crashes=1)
        assert again.stop() == 0


@pytest.mark.long
@pytest.mark.slow
def test_workers_stop_when_their_parent_is_gone(tmp_path: Path, kafka: str) -> None:
    with two_ready(tmp_path, kafka) as (_, segment):
        workers = pids(segment)
        segment.kill()
        for pid in workers:
            wait_until(partial(is_gone, pid), f"{pid} has ended")
        for number in (1, 2):
            assert "segment: stopped" in segment.events(worker=number)


@pytest.mark.long
@pytest.mark.slow
def test_a_signal_that_reaches_all_at_once_is_one_stop(tmp_path: Path, kafka: str) -> None:
    with two_ready(tmp_path, kafka) as (_, segment):
        os.killpg(segment.popen.pid, signal.SIGINT)
        assert segment.popen.wait(STOP_S) == EXIT_OK
        assert segment.events().count("segment: stopped") == 3


@pytest.mark.long
@pytest.mark.slow
def test_a_second_signal_ends_a_worker_that_hangs(tmp_path: Path, kafka: str) -> None:
    with two_ready(tmp_path, kafka) as (_, segment):
        workers = pids(segment)
        os.kill(workers[0], signal.SIGSTOP)
        segment.signal(signal.SIGTERM)
        wait_until(lambda: against(segment, "/readyz") == "it is stopping\n", "it is stopping")
        segment.signal(signal.SIGTERM)
        assert segment.popen.wait(STOP_S) == EXIT_FORCED
        for pid in workers:
            wait_until(partial(is_gone, pid), f"{pid} has ended")


@pytest.mark.long
@pytest.mark.slow
def test_a_stop_before_anything_has_begun_is_clean(tmp_path: Path, kafka: str) -> None:
    with deployment(tmp_path, kafka, **SMALL) as deployed:
        segment = deployed.begin(TWO)
        assert segment.stop() == EXIT_OK
        assert not [each for each in segment.events() if "started" in each]
