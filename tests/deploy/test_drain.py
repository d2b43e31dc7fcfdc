"""Pods that go: no frame is lost, and no camera pauses for long."""

from collections import Counter
from pathlib import Path

import pytest

from tests.deploy.site import CAMERAS, PAUSE_S, since_ms, site
from tests.support.roles import Seen
from tests.support.waiting import wait_until


@pytest.mark.slow
def test_segmenters_that_are_scaled_down_lose_nothing(tmp_path: Path, kafka: str) -> None:
    only = {"segment": {"replicas": 3}, "watch": {"enabled": False}, "notify": {"enabled": False}}
    with site(tmp_path, kafka, **only) as here:
        here.install()
        segment = here.release["segment"]
        segment.scale(1)
        here.wait_results()
        left_s = here.longest_pause_s(since_ms(segment.gone, "deleted"))
        segment.scale(3)
        here.release.wait_ready()
        here.wait_results()
        came_s = here.longest_pause_s(since_ms(segment.pods[1:], "asked for"))
        here.end()
        print(f"longest pause of a camera: 3 to 1 {left_s:.2f} s, 1 to 3 {came_s:.2f} s")
        assert here.unclean() == []
        assert max(left_s, came_s) <= PAUSE_S


@pytest.mark.long
@pytest.mark.slow
def test_cameras_of_an_ingest_that_goes_run_elsewhere(tmp_path: Path, kafka: str) -> None:
    with site(tmp_path, kafka, ingest={"replicas": 2}) as here:
        here.install()
        ingest = here.release["ingest"]
        before = epochs(here.deployed.seen())
        ingest.scale(1)
        here.wait_results()
        pause_s = here.longest_pause_s(since_ms(ingest.gone, "deleted"))
        after = epochs(here.deployed.seen())
        moved = {camera for camera, count in after.items() if count > before[camera]}
        here.end()
        print(f"{len(moved)} cameras moved, longest pause {pause_s:.2f} s")
        assert len(moved) == CAMERAS // 2
        assert all(after[camera] == before[camera] + 1 for camera in moved)
        assert here.unclean() == []
        assert pause_s <= PAUSE_S


def epochs(seen: Seen) -> Counter[str]:
    """How many each camera had."""
    return Counter(each.camera for each in seen.audit.epochs)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_upgrade_of_all_roles_loses_nothing(tmp_path: Path, kafka: str) -> None:
    two = {"replicas": 2}
    page = {"token": {"secret": "page"}}
    with site(tmp_path, kafka, ingest=two, segment=two, watch=two, notify=two, web=page) as here:
        here.install()
        before = here.release.pods
        here.upgrade(config={"drain": "9s"})
        here.wait_results()
        pause_s = here.longest_pause_s(since_ms(before, "deleted"))
        here.end()
        print(f"longest pause of a camera: {pause_s:.2f} s")
        assert len(here.release.pods) == 2 * len(before)
        assert here.unclean() == []
        assert pause_s <= PAUSE_S


@pytest.mark.long
@pytest.mark.slow
def test_a_pod_that_goes_before_it_is_ready_goes_at_once(tmp_path: Path, kafka: str) -> None:
    off = {"enabled": False}
    with site(tmp_path, kafka, ingest=off, watch=off, notify=off, cameras=[]) as here:
        here.begin()
        segment = here.release["segment"]
        segment.scale(2)
        pod = segment.pods[1]
        wait_until(lambda: "probes on" in pod.log, "it loads its model")
        segment.scale(1)
        assert not any(each.what == "ready" for each in pod.events)
        here.release.uninstall()
        assert here.unclean() == []
