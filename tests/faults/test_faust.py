from functools import partial
from pathlib import Path
import pytest
from tests.faults.verdict import wait_for_alerts, wait_for_results
from tests.support.roles import deployment
from tests.support.waiting import wait_until

HOSTS = ["watch", "watch --host faust"]

@pytest.mark.parametrize("host", HOSTS)
def test_stop(tmp_path: Path, kafka: str, host: str) -> None:
    with deployment(tmp_path, kafka) as deployed:
        (watch,) = deployed.start(host)
        deployed.start("segment", "ingest")
        deployed.wait_closed()
        wait_until(partial(watch.answers, "/readyz"), "ready")
        assert watch.answers("/livez")
        wait_for_alerts(deployed)
        code = watch.stop()
        print(watch.text())
        assert code == 0

@pytest.mark.parametrize("host", HOSTS)
def test_a_killed_watcher_loses_no_alert(tmp_path: Path, kafka: str, host:str) -> None:
    with deployment(tmp_path, kafka) as deployed:
        deployed.start("segment", "ingest")
        for kill in range(1, 5):
            (watch,) = deployed.start(host)
            wait_for_results(deployed, kill * 60)
            watch.kill()
        deployed.wait_closed()
        deployed.start(host)
        wait_for_alerts(deployed, repeats=True)
