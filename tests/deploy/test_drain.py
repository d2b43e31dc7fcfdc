"""Pods that go: no frame is lost, and no camera pauses for long."""

from pathlib import Path

import pytest

from tests.deploy.site import PAUSE_S, since_ms, site


@pytest.mark.slow
def test_segmenters_that_are_scaled_down_lose_nothing(tmp_path: Path, kafka: str) -> None:
    with site(tmp_path, kafka, segment={"replicas": 3}) as here:
        here.install()
        segment = here.release["segment"]
        segment.scale(1)
        here.wait_results()
        pause_s = here.longest_pause_s(since_ms(segment.gone, "deleted"))
        segment.scale(3)
        here.release.wait_ready()
        here.wait_results()
        joined_s = here.longest_pause_s(since_ms(segment.pods[1:], "asked for"))
        print(f"longest pause of a camera: 3 to 1 {pause_s:.2f} s, 1 to 3 {joined_s:.2f} s")
        for pod in segment.all:
            print(pod.name, round(pod.ready_after_s(), 2), pod.exits)
        here.end()
        assert pause_s <= PAUSE_S
        assert joined_s <= PAUSE_S
