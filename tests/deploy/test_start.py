"""How soon a pod that is asked for is ready, with its artefact there."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from connectors.models import Build, build_artefact
from tests.deploy.site import SMALL, Site, artefact, site
from tests.support.required import require

STARTS = 5
DEMO, LARGE = {**SMALL, "image_size": 416}, {**SMALL, "image_size": 640}


@pytest.mark.long
@pytest.mark.slow
def test_a_segmenter_starts_with_the_demos_model(tmp_path: Path, kafka: str) -> None:
    with site(tmp_path, kafka) as here:
        here.values |= {"model": {"artefact": artefact("yard"), "settings": DEMO}}
        start_again_and_again(here)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_segmenter_starts_with_yolov8n(tmp_path: Path, kafka: str, shared: Path) -> None:
    present = find_spec("torch") is not None and find_spec("ultralytics") is not None
    require("segment", present, "torch and ultralytics are not installed: the segment extra")
    with site(tmp_path, kafka) as here:
        build_artefact(Build(shared / "weights" / "yolov8n-seg.pt"), here.models / "yolov8n")
        here.values |= {"model": {"artefact": artefact("yolov8n"), "settings": LARGE}}
        start_again_and_again(here)


def start_again_and_again(here: Site) -> None:
    """Print how long each start took, the first of which made the group."""
    off = {"enabled": False}
    here.values |= {"ingest": off, "watch": off, "notify": off}
    here.begin()
    segment = here.release["segment"]
    for _ in range(STARTS):
        segment.scale(0)
        segment.scale(1)
        here.release.wait_ready()
        (pod,) = segment.pods
        print(f"ready after {pod.ready_after_s():.1f} s, computed {pod.cpu_s:.1f} s")
        assert pod.restarts == 0
