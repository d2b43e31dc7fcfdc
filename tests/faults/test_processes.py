"""Roles as processes that come, go and die: nothing is missing, and little comes twice."""

import signal
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.faults.verdict import (
    FRAMES,
    assert_whole,
    wait_for_alerts,
    wait_for_frames,
    wait_for_results,
)
from tests.support.roles import DATA, deployment
from tests.support.waiting import wait_until


def test_four_processes_lose_nothing_and_stop_when_asked(tmp_path: Path, kafka: str) -> None:
    with deployment(tmp_path, kafka) as deployed:
        watchers = deployed.start("segment", "watch", "notify")
        (ingest,) = deployed.start("ingest")
        assert ingest.popen.wait(60) == 0
        for each in watchers:
            wait_until(partial(each.answers, "/readyz"), f"{each.role} is ready")
            assert each.answers("/livez")
        seen = deployed.wait_closed()
        assert f'maskstream_results_total{{camera="yard"}} {FRAMES}.0' in watchers[0].get(
            "/metrics"
        )
        wait_for_alerts(deployed)
        assert [each.stop() for each in watchers] == [0, 0, 0]
        assert_whole(seen)
        assert "complete" in deployed.command("audit")
        assert "complete" in deployed.command("audit", "--since", "1h")


@pytest.mark.slow
def test_a_killed_segmenter_costs_nothing(tmp_path: Path, kafka: str) -> None:
    random = Random(3)
    with deployment(tmp_path, kafka) as deployed:
        deployed.start("watch")
        (segment,) = deployed.start("segment")
        deployed.start("ingest")
        for kill in range(1, 5):
            wait_for_results(deployed, kill * 50 + random.randrange(20))
            segment.kill()
            (segment,) = deployed.start("segment")
        seen = deployed.wait_closed()
        assert_whole(seen, crashes=4)
        wait_for_alerts(deployed)


@pytest.mark.slow
def test_a_killed_watcher_loses_no_alert(tmp_path: Path, kafka: str) -> None:
    with deployment(tmp_path, kafka) as deployed:
        deployed.start("segment", "ingest")
        for kill in range(1, 5):
            (watch,) = deployed.start("watch")
            wait_for_results(deployed, kill * 60)
            watch.kill()
        deployed.wait_closed()
        deployed.start("watch")
        wait_for_alerts(deployed, repeats=True)


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
        zombie.signal(signal.SIGCONT)
        assert zombie.stop() == 0
        assert_whole(deployed.seen(), crashes=1)


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
        zombie.signal(signal.SIGCONT)
        assert_whole(deployed.wait_closed(), crashes=2)
        assert zombie.stop() == 0


@pytest.mark.slow
def test_segmenters_that_come_and_go_cost_nothing(tmp_path: Path, kafka: str) -> None:
    cameras = [
        {"id": f"yard-{n}", "url": str(DATA / "yard.mp4"), "mode": "archive", "fps": 6}
        for n in range(4)
    ]
    with deployment(tmp_path, kafka, cameras=cameras, zones=[], rules=[]) as deployed:
        (first,) = deployed.start("segment")
        deployed.start("ingest")
        for _ in range(2):
            others = deployed.start("segment", "segment")
            wait_for_results(deployed, deployed.seen().results.total() + 10)
            assert [each.stop() for each in others] == [0, 0]
        assert not deployed.seen().is_closed
        seen = deployed.wait_closed()
        assert first.is_running
        assert [(each.results, each.missing, each.out_of_order) for each in seen.audit.epochs] == [
            (450, 0, 0)
        ] * 4
        assert seen.duplicates == 0
