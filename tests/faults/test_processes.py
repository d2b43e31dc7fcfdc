"""Roles as processes that come, go and die: nothing is missing, and little comes twice."""

import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectors.kafka.inbox import SESSION_MS
from stream.errors import EXIT_SOFTWARE
from stream.metrics import Metrics
from stream.stages import Stage
from tests.faults.film import FILM, FULL
from tests.faults.verdict import (
    FRAMES,
    assert_whole,
    longest_pause_s,
    wait_committed,
    wait_for_alerts,
    wait_for_all_cameras,
    wait_for_frames,
    wait_for_more,
    wait_for_results,
)
from tests.support.receiver import UP, receiver
from tests.support.roles import DATA, MODEL, Deployment, deployment
from tests.support.waiting import wait_until

PAUSE_S = 5.0
"""The most that a partition may stand still when a segmenter leaves cleanly."""
GONE_S = 5.0
"""The most that a process lives after its device failed."""
SMALL = {**MODEL, "image_size": 128}
"""For tests that look at no mask, and segment a lot."""


NOT_HERE = {
    "camera_condition": "of live cameras",
    "camera_skew_seconds": "of live cameras that tell their time",
    "frame_age_seconds": "of live cameras",
    "result_age_seconds": "of live cameras",
    "gpu_busy_ratio": "of a card",
    "gpu_memory_used_bytes": "of a card",
    "gpu_memory_bytes": "of a card",
    "requests_total": "of web",
    "request_seconds": "of web",
}
"""Metrics without a sample where the four roles work through a film."""


def test_four_processes_lose_nothing_and_stop_when_asked(tmp_path: Path, kafka: str) -> None:
    store = {"store": str(tmp_path / "out")}
    with receiver(UP) as ops, deployment(tmp_path, kafka, evidence=store) as deployed:
        deployed.tell(ops)
        watchers = deployed.start("segment", "watch", "notify")
        (ingest,) = deployed.start("ingest")
        wait_until(lambda: ingest.metric("frames_offered_total", camera="yard") > 0, "a frame")
        told = [ingest.get("/metrics")]
        assert ingest.popen.wait(60) == 0
        for each in watchers:
            wait_until(partial(each.answers, "/readyz"), f"{each.role} is ready")
            assert each.answers("/livez")
        seen = deployed.wait_closed()
        assert f'maskstream_results_total{{camera="yard"}} {FRAMES}.0' in watchers[0].get(
            "/metrics"
        )
        wait_for_alerts(deployed)
        wait_until(lambda: bool(ops.taken), "an alert was delivered")
        assert_all_is_measured(told + [each.get("/metrics") for each in watchers])
        assert [each.stop() for each in watchers] == [0, 0, 0]
        assert_whole(seen)
        assert "complete" in deployed.command("audit")
        assert "complete" in deployed.command("audit", "--since", "1h")


def assert_all_is_measured(texts: Iterable[str]) -> None:
    """Each metric of the pipeline has a sample in one of ``texts``, and some are what they have to
    be.
    """
    samples = [
        each
        for text in texts
        for family in text_string_to_metric_families(text)
        for each in family.samples
    ]
    names = {each.name.removesuffix("_count") for each in samples}
    declared = {each.name for each in Metrics().declared if each.role != "compare"}
    missing = declared - names
    assert missing == {f"maskstream_{name}" for name in NOT_HERE}
    values: defaultdict[str, set[str]] = defaultdict(set)
    for each in samples:
        for label, value in each.labels.items():
            values[f"{each.name.removeprefix('maskstream_')}.{label}"].add(value)
    assert values["build_info.role"] == {"ingest", "segment", "watch", "notify"}
    assert values["stage_seconds_count.stage"] == set(get_args(Stage))
    topics = {"frames", "frames-archive", "masks", "alerts"}
    assert values["lag_records.topic"] == topics
    (capacity,) = [each.value for each in samples if "capacity" in each.name]
    assert capacity > 0
    assert sum(each.value for each in samples if "frames_missing_total" in each.name) == 0


@pytest.mark.slow
def test_a_device_that_fails_ends_its_process_and_costs_nothing(tmp_path: Path, kafka: str) -> None:
    with deployment(tmp_path, kafka, rules=[], zones=[]) as deployed:
        breaking = deployed.start_breaking(batches=40)
        deployed.start("ingest")
        wait_until(lambda: "the device failed" in breaking.text(), "its device fails")
        failed_s = time.monotonic()
        assert breaking.popen.wait(10) == EXIT_SOFTWARE
        assert time.monotonic() - failed_s <= GONE_S
        assert sum(deployed.committed("segment", "frames-archive").values()) <= 41
        deployed.start("segment")
        assert_whole(deployed.wait_closed(), crashes=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_segmenter_costs_nothing(tmp_path: Path, kafka: str) -> None:
    random = Random(3)
    crashes = 20 if FULL else 2
    camera = {"id": "yard", "url": str(DATA / "yard.mp4"), "mode": "archive"}
    with deployment(tmp_path, kafka, cameras=[camera]) as deployed:
        deployed.start("watch", "ingest")
        (segment,) = deployed.start("segment")
        for _ in range(crashes):
            wait_for_more(deployed, "masks", random.randrange(1, 50))
            time.sleep(random.random() / 10)  # to some point within a batch
            segment.kill()
            (segment,) = deployed.start("segment")
        assert not deployed.seen().is_closed
        seen = deployed.wait_closed()
        assert_whole(seen, FILM, crashes=crashes)
        wait_for_alerts(deployed)
        assert longest_pause_s(deployed.written_ms("masks")["yard"]) <= SESSION_MS / 1e3 + 10


@pytest.mark.long
@pytest.mark.slow
def test_a_killed_ingest_goes_on_after_its_last_frame(tmp_path: Path, kafka: str) -> None:
    with deployment(tmp_path, kafka) as deployed:
        for kill in range(1, 5):
            (ingest,) = deployed.start("ingest")
            wait_for_frames(deployed, kill * 40)
            ingest.kill()
        assert deployed.records("frames-archive") < FRAMES
        deployed.start("segment", "ingest")
        assert_whole(deployed.wait_closed())


@pytest.mark.slow
def test_a_zombie_segmenter_takes_nothing_back(tmp_path: Path, kafka: str) -> None:
    with deployment(tmp_path, kafka) as deployed:
        (zombie,) = deployed.start("segment")
        deployed.start("ingest")
        wait_for_results(deployed, 30)
        zombie.signal(signal.SIGSTOP)
        deployed.start("segment")
        deployed.wait_closed()
        committed = wait_committed(deployed, "segment", "frames-archive")
        zombie.signal(signal.SIGCONT)
        assert zombie.stop() == 0
        assert deployed.committed("segment", "frames-archive") == committed
        assert_whole(deployed.seen(), crashes=1)


@pytest.mark.long
@pytest.mark.slow
def test_a_zombie_that_is_alone_again_goes_on_where_the_other_was(
    tmp_path: Path, kafka: str
) -> None:
    with deployment(tmp_path, kafka) as deployed:
        (zombie,) = deployed.start("segment")
        deployed.start("ingest")
        wait_for_results(deployed, 30)
        zombie.signal(signal.SIGSTOP)
        (other,) = deployed.start("segment")
        wait_for_results(deployed, 120)
        assert other.stop() == 0
        before = deployed.committed("segment", "frames-archive")
        zombie.signal(signal.SIGCONT)
        wait_for_results(deployed, 150)
        after = deployed.committed("segment", "frames-archive")
        assert all(after[partition] >= offset for partition, offset in before.items())
        assert_whole(deployed.wait_closed(), crashes=2)
        assert zombie.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_segmenters_that_come_and_go_cost_nothing(tmp_path: Path, kafka: str) -> None:
    cameras = [
        {"id": f"yard-{n}", "url": str(DATA / "yard.mp4"), "mode": "archive", "fps": 4}
        for n in range(4)
    ]
    loops = [{**camera, "loop": True} for camera in cameras]
    with deployment(tmp_path, kafka, cameras=loops, zones=[], rules=[], model=SMALL) as deployed:
        (first,) = deployed.start("segment")
        (ingest,) = deployed.start("ingest")
        leaves = [leave for _ in range(10 if FULL else 1) for leave in storm(deployed)]
        ingest.stop()
        deployed.configure(cameras=cameras)  # the epochs under way go on to their end
        deployed.start("ingest")
        seen = deployed.wait_closed(600.0)
        assert first.is_running
        for epoch in seen.audit.epochs:
            assert (epoch.results, epoch.missing, epoch.out_of_order) == (FRAMES, 0, 0)
        assert seen.duplicates == 0
        written = deployed.written_ms("masks").values()
        pauses = [max(longest_pause_s(each, leave) for each in written) for leave in leaves]
        print("longest pause of a partition at each clean leave, in s:", pauses)
        assert max(pauses) <= PAUSE_S


def storm(deployed: Deployment) -> Iterator[tuple[int, int]]:
    """Three segmenters come, and leave one after the other; gives when each leave began and when
    every camera went on, in ms.
    """
    others = deployed.start("segment", "segment", "segment")
    for each in others:
        wait_until(partial(each.answers, "/readyz"), "a new member has partitions")
        wait_for_all_cameras(deployed)
    for each in others:
        began_ms = time.time_ns() // 10**6
        assert each.stop() == 0
        wait_for_all_cameras(deployed)
        yield began_ms, time.time_ns() // 10**6
