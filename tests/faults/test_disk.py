"""A disk under the broker that is full: roles tell and wait, and nothing is missing later."""

import time
from pathlib import Path

import pytest

from tests.faults.film import FILM, LIMIT_S, OUTAGE_S, assert_nobody_left, begin, long_film
from tests.faults.verdict import assert_whole, wait_for_alerts
from tests.support.disk import small_disk
from tests.support.kafka import Extras, Node, cluster, require_kafka
from tests.support.roles import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S)]

DISK_MIB = 256
"""Several times what the film takes."""


def test_a_full_disk_under_the_broker_loses_nothing(tmp_path: Path) -> None:
    require_kafka()
    with (
        small_disk(tmp_path / "disk", DISK_MIB) as disk,
        cluster(1, extras=Extras(settings={"log.dirs": disk.folder / "data"})) as (node,),
        long_film(tmp_path, [node]) as deployed,
    ):
        begin(deployed)
        disk.fill()
        assert "No space left on device" in node.wait_ended()
        time.sleep(OUTAGE_S)  # the outage itself, not a wait for something
        assert_nobody_left(deployed)
        assert_told(deployed, node)
        disk.make_room()
        node.start()
        node.wait_ready()
        assert_whole(deployed.wait_closed(180.0), FILM, crashes=1)
        assert_nobody_left(deployed)
        wait_for_alerts(deployed, repeats=1)


def assert_told(deployed: Deployment, node: Node) -> None:
    """Who wrote at that moment tells of the broker's disk; all name the broker that is away."""
    texts = [process.text() for process in deployed.processes]
    assert any("KafkaStorageError" in text for text in texts), texts
    for text in texts:
        assert str(node.ports.near) in text, text
