"""Watchers that die or freeze in the middle of their work, with either host: no alert is lost, and
few come twice.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.faults.film import FULL
from tests.faults.verdict import (
    ALERTS_OF_A_BATCH,
    FRAMES,
    wait_committed,
    wait_for_alerts,
    wait_for_more,
)
from tests.support.roles import DATA, Deployment, Process, deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOSTS = ["watch", "watch --host faust"]
FREEZING_HOSTS = HOSTS if FULL else HOSTS[:1]
"""It takes a session until one that is frozen is missed: the short form has time for our own."""
LONGEST = {HOSTS[0]: ALERTS_OF_A_BATCH, HOSTS[1]: 32}
"""Alerts that come again after a crash. Faust commits twice a second and does 250 frames meanwhile:
a minute of the film, with an alert opened and resolved every 5 s of it.
"""
KILLS = 4
CAMERA = {"id": "yard", "url": str(DATA / "yard.mp4"), "mode": "archive", "fps": 4}


@contextmanager
def endless_film(folder: Path, kafka: str) -> Iterator[Deployment]:
    """A film that begins anew, so that there is work for as long as a fault takes."""
    with deployment(folder, kafka, cameras=[{**CAMERA, "loop": True}]) as deployed:
        deployed.start("segment", "ingest")
        yield deployed


def end_film(deployed: Deployment) -> None:
    """Let the film that plays now be the last, and wait until all of it is segmented."""
    (ingest,) = (each for each in deployed.processes if each.role == "ingest")
    assert ingest.stop() == 0
    deployed.configure(cameras=[CAMERA])
    deployed.start("ingest")
    for epoch in deployed.wait_closed().audit.epochs:
        assert (epoch.results, epoch.missing, epoch.complete) == (FRAMES, 0, True)


def frozen_at_work(deployed: Deployment, host: str) -> Process:
    (watch,) = deployed.start(host)
    wait_for_more(deployed, "tracks", 30)
    watch.signal(signal.SIGSTOP)
    return watch


@pytest.mark.long
@pytest.mark.parametrize("host", HOSTS)
def test_a_killed_watcher_loses_no_alert(tmp_path: Path, kafka: str, host: str) -> None:
    random = Random(5)
    with endless_film(tmp_path, kafka) as deployed:
        for _ in range(KILLS):
            (watch,) = deployed.start(host)
            wait_for_more(deployed, "tracks", random.randrange(1, 100))
            time.sleep(random.random() / 10)  # to some point within a batch
            watch.kill()
        assert not deployed.seen().is_closed
        deployed.start(host)
        end_film(deployed)
        wait_for_alerts(deployed, repeats=KILLS, longest=LONGEST[host])


@pytest.mark.long
@pytest.mark.parametrize("host", FREEZING_HOSTS)
def test_a_frozen_watcher_takes_nothing_back(tmp_path: Path, kafka: str, host: str) -> None:
    with endless_film(tmp_path, kafka) as deployed:
        frozen = frozen_at_work(deployed, host)
        deployed.start(host)
        wait_for_more(deployed, "tracks", 30)
        end_film(deployed)
        committed = wait_committed(deployed, "watch", "masks")
        frozen.signal(signal.SIGCONT)
        assert frozen.stop() == 0
        assert deployed.committed("watch", "masks") == committed
        wait_for_alerts(deployed, repeats=2, longest=LONGEST[host])


@pytest.mark.long
@pytest.mark.parametrize("host", FREEZING_HOSTS)
def test_a_frozen_watcher_that_is_alone_again_goes_on_where_the_other_was(
    tmp_path: Path, kafka: str, host: str
) -> None:
    with endless_film(tmp_path, kafka) as deployed:
        frozen = frozen_at_work(deployed, host)
        (other,) = deployed.start(host)
        wait_for_more(deployed, "tracks", 100)
        assert other.stop() == 0
        before = deployed.committed("watch", "masks")
        frozen.signal(signal.SIGCONT)
        wait_for_more(deployed, "tracks", 30)
        after = deployed.committed("watch", "masks")
        assert all(after[partition] >= offset for partition, offset in before.items())
        end_film(deployed)
        wait_committed(deployed, "watch", "masks")
        wait_for_alerts(deployed, repeats=2, longest=LONGEST[host])
        assert frozen.stop() == 0
