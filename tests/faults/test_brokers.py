"""Brokers that die, come back, or are away for a while: roles wait, and lose nothing."""

import time
from pathlib import Path

import pytest

from stream.errors import EXIT_DRAIN_TIMEOUT, EXIT_OK
from tests.faults.film import FILM, OUTAGE_S, assert_nobody_left, begin, long_film
from tests.faults.verdict import assert_whole, wait_for_alerts, wait_for_results
from tests.support.kafka import Node, cluster, require_kafka

pytestmark = pytest.mark.slow


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
