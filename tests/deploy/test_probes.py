"""The chart's probes: who hangs is started anew, and nobody is ready with a cold model."""

import shutil
import signal
from pathlib import Path

import pytest

from tests.deploy.site import site
from tests.support.roles import DATA
from tests.support.sandbox import Box, Boxed, Mount, require_sandbox
from tests.support.waiting import wait_until


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_segmenter_that_hangs_is_started_anew_and_costs_nothing(
    tmp_path: Path, kafka: str
) -> None:
    with site(tmp_path, kafka, segment={"replicas": 2}) as here:
        here.install()
        hung, other = here.release["segment"].pods
        hung.signal(signal.SIGSTOP)
        wait_until(lambda: hung.restarts == 1 and hung.is_ready, "it is ready again", 180.0)
        here.wait_results()
        (end,) = hung.exits
        here.end()
        failed, began = hung.at("liveness fails"), hung.at("not ready: timed out")
        print(f"not ready, {failed.at_s - began.at_s:.1f} s later not alive, then {end}")
        assert end.was_killed
        assert end.why.startswith("liveness")
        assert began.at_s < failed.at_s
        assert other.restarts == 0
        assert [each for each in here.unclean() if each[1] is not end] == []


@pytest.mark.long
@pytest.mark.slow
def test_a_pod_is_ready_once_its_model_is_warm(tmp_path: Path, kafka: str) -> None:
    with site(tmp_path, kafka) as here:
        here.install()
        (pod,) = here.release["segment"].pods
        asked, *_, ready = [each for each in pod.events if "ready" in each.what]
        assert asked.what == "not ready: it waits for: start\nit waits for: partitions"
        assert ready.what == "ready"
        assert "able to do" in pod.log
        here.end()


def test_an_artefact_that_a_pod_may_not_read_is_named(tmp_path: Path) -> None:
    require_sandbox()
    weights, log = tmp_path / "yard", tmp_path / "log"
    shutil.copytree(DATA / "yard-seg", weights)
    (weights / "model.bin").chmod(0o600)
    reads = "from pathlib import Path; from connectors.models import artefact"
    words = ["python", "-c", f"{reads}; artefact.read(Path('/models'))"]
    boxed = Boxed(Box(tmp_path / "box", words, mounts=[Mount(weights, "/models")]), log)
    assert boxed.wait(60) == 1
    assert "ModelError: model.weights: /models/model.bin: Permission denied" in log.read_text()
