"""Brokers that die, come back, or are away for a while: roles wait, and lose nothing."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream.errors import EXIT_DRAIN_TIMEOUT, EXIT_OK
from tests.faults.verdict import assert_whole, wait_for_alerts, wait_for_results
from tests.support.kafka import Node, cluster, require_kafka
from tests.support.roles import DATA, Deployment, deployment

pytestmark = pytest.mark.slow

FILM = 1125
"""Pictures of the demo's film."""
OUTAGE_S = 60.0 if os.environ.get("MASKSTREAM_FAULTS") == "full" else 20.0
"""How long brokers are away: longer than a session in the short form too."""


@contextmanager
def long_film(folder: Path, nodes: Sequence[Node]) -> Iterator[Deployment]:
    """The demo's film with all of its pictures: brokers take their time to die and come back."""
    camera = {"id": "yard", "url": str(DATA / "yard.mp4"), "mode": "archive"}
    bootstrap = ",".join(node.bootstrap for node in nodes)
    with deployment(folder, bootstrap, len(nodes), cameras=[camera]) as deployed:
        yield deployed


def begin(deployed: Deployment) -> None:
    deployed.start("segment", "watch", "ingest")
    wait_for_results(deployed, 20)


def assert_nobody_left(deployed: Deployment) -> None:
    """But for ingest, whose file may have ended."""
    for process in deployed.processes:
        assert process.is_running or process.popen.returncode == 0, process.text()[-2000:]


def test_a_leader_killed_again_and_again_costs_nothing(tmp_path: Path, kafka3: list[Node]) -> None:
    with long_film(tmp_path, kafka3) as deployed:
        begin(deployed)
        for node in kafka3:
            node.kill()
            wait_for_results(deployed, deployed.seen().results.total() + 10)
            node.start()
            node.wait_ready()
        assert_nobody_left(deployed)
        assert_whole(deployed.wait_closed(180.0), FILM, crashes=3)
        wait_for_alerts(deployed, repeats=True)


def test_without_a_quorum_roles_wait(tmp_path: Path, kafka3: list[Node]) -> None:
    with long_film(tmp_path, kafka3) as deployed:
        begin(deployed)
        for node in kafka3[:2]:
            node.kill()
        time.sleep(OUTAGE_S)  # the outage itself, not a wait for something
        assert_nobody_left(deployed)
        for node in kafka3[:2]:
            node.start()
        for node in kafka3[:2]:
            node.wait_ready()
        assert_whole(deployed.wait_closed(240.0), FILM, crashes=2)
        assert_nobody_left(deployed)
        wait_for_alerts(deployed, repeats=True)


def test_a_single_node_that_restarts_costs_nothing(tmp_path: Path) -> None:
    require_kafka()
    with cluster(1) as (node,), long_film(tmp_path, [node]) as deployed:
        begin(deployed)
        node.stop()
        time.sleep(OUTAGE_S / 4)  # the outage itself
        node.start()
        node.wait_ready()
        assert_whole(deployed.wait_closed(180.0), FILM, crashes=2)
        assert_nobody_left(deployed)
        wait_for_alerts(deployed, repeats=True)


def test_roles_that_are_told_to_stop_without_a_broker_end_in_time(tmp_path: Path) -> None:
    require_kafka()
    with cluster(1) as (node,), long_film(tmp_path, [node]) as deployed:
        begin(deployed)
        node.kill()
        for process in deployed.processes:
            assert process.stop() in {EXIT_OK, EXIT_DRAIN_TIMEOUT}, process.text()[-2000:]
