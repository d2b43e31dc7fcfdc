"""Brokers that die, come back, or are away for a while: roles wait, and lose nothing."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stream.audit import EpochAudit
from stream.cli.bench.sleeping import Sleep
from stream.errors import EXIT_DRAIN_TIMEOUT, EXIT_OK
from stream.health import STILL_S
from stream.playing import HELD_FRAMES
from tests.faults.film import (
    FILM,
    FULL,
    OUTAGE_S,
    RECOVERY_S,
    YARD,
    assert_nobody_left,
    begin,
    finish,
    long_film,
)
from tests.faults.live import (
    GATE,
    arrivals_us,
    gate,
    now_us,
    unanswered,
    wait_back_us,
    wait_goes_on,
)
from tests.faults.verdict import assert_each_whole, assert_whole, wait_for_alerts, wait_for_results
from tests.support.kafka import Copies, Node, cluster, copies, require_kafka
from tests.support.roles import Deployment
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 5 if FULL else 1
QUORUM_LOST_S = STILL_S + 10
"""Longer than anything may stand still while brokers are there."""
SLEEP = Sleep(batch_size=2, seconds=0.1)
"""20 frames/s, of which a live camera takes 5: enough for it whatever else the machine is at."""
GROWTH = 1.1
"""The most memory that an outage may take, over what work took before."""


def test_a_leader_killed_again_and_again_costs_nothing(tmp_path: Path, kafka3: list[Node]) -> None:
    with long_film(tmp_path, kafka3, cameras=[{**YARD, "loop": True}]) as deployed:
        begin(deployed)
        pauses = [killed_leader_s(deployed, kafka3) for _ in range(KILLS)]
        print("work went on after so many s:", pauses)
        assert max(pauses) <= RECOVERY_S
        assert_nobody_left(deployed)
        finish(deployed)
        assert_each_whole(deployed.wait_closed(240.0), FILM, crashes=KILLS)
        wait_for_alerts(deployed, repeats=KILLS)


def killed_leader_s(deployed: Deployment, nodes: Sequence[Node]) -> float:
    """Kill whoever leads the film's masks; returns after how long there were more of them."""
    wait_until(lambda: len(masks(deployed, nodes).in_step) == 3, "all copies are in step", 90.0)
    (leader,) = (each for each in nodes if each.number == masks(deployed, nodes).leader)
    leader.kill()
    began_s, there = time.monotonic(), deployed.records("masks")
    wait_until(lambda: deployed.records("masks") >= there + 10, "work goes on", 90.0, pause_s=0.2)
    pause_s = time.monotonic() - began_s
    leader.start()
    leader.wait_ready()
    return pause_s


def masks(deployed: Deployment, nodes: Sequence[Node]) -> Copies:
    """Who has the film's masks; it is the first camera, and so in the first partition."""
    bootstrap = ",".join(node.bootstrap for node in nodes)
    return asyncio.run(copies(bootstrap, f"{deployed.prefix}masks", 0))


@pytest.mark.long
def test_without_a_quorum_roles_wait(tmp_path: Path, kafka3: list[Node]) -> None:
    with long_film(tmp_path, kafka3) as deployed:
        begin(deployed)
        wait_for_results(deployed, 200)  # what work takes of memory is taken
        with without_quorum(kafka3):
            assert_waiting(deployed, QUORUM_LOST_S)
        assert not deployed.seen().is_closed
        assert_whole(deployed.wait_closed(240.0), FILM, crashes=2)
        assert_nobody_left(deployed)
        wait_for_alerts(deployed, repeats=2)


@contextmanager
def without_quorum(nodes: Sequence[Node]) -> Iterator[None]:
    """One node of three is left; afterwards all are there."""
    away = nodes[:2]
    for node in away:
        node.kill()
    yield
    for node in away:
        node.start()
    for node in away:
        node.wait_ready()


def assert_waiting(deployed: Deployment, seconds: float) -> None:
    """For so long every process is there, says that it lives, and takes no more memory."""
    before_mb = [each.resident_mb() for each in deployed.processes]
    most_mb = list(before_mb)
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:  # the outage itself, not a wait for something
        time.sleep(1.0)
        for at, each in enumerate(deployed.processes):
            assert each.is_running, each.text()[-2000:]
            assert each.get("/livez") == "ok\n"
            most_mb[at] = max(most_mb[at], each.resident_mb())
    grown = [most / before for most, before in zip(most_mb, before_mb, strict=True)]
    print("memory over that before the outage:", [round(each, 3) for each in grown])
    assert max(grown) <= GROWTH


@pytest.mark.long
def test_live_frames_that_brokers_have_no_room_for_become_gaps_and_the_others_results(
    tmp_path: Path, kafka3: list[Node]
) -> None:
    sections: dict[str, Any] = {
        "cameras": [YARD, gate(tmp_path)],
        "zones": [],
        "rules": [],
        "freshness": {"max_age": "3s"},  # a busy machine is no fault here
    }
    with long_film(tmp_path, kafka3, **sections) as deployed:
        deployed.start_sleeping(SLEEP)
        (ingest,) = deployed.start("ingest")
        wait_goes_on(deployed, 20)
        began_us = now_us()
        with without_quorum(kafka3):
            time.sleep(OUTAGE_S)  # the outage itself, not a wait for something
        outage_us = began_us, wait_back_us(deployed)
        wait_goes_on(deployed, 20)
        assert_nobody_left(deployed)
        dropped = ingest.metric("frames_dropped_total", camera=GATE, reason="overflow")
        finish(deployed)
        seen = deployed.wait_closed(240.0)
        assert_whole(seen, FILM, crashes=2)
        (live,) = (each for each in seen.audit.epochs if each.camera == GATE)
        assert_told(live, dropped)
        lost_s, frames = unanswered(arrivals_us(deployed), live.offered, outage_us)
        print(f"of {frames} live frames without a result:", lost_s, "s after the outage")
        assert len(lost_s) <= 0.01 * frames


def assert_told(live: EpochAudit, dropped: float) -> None:
    """The frames that brokers had no room for are a gap each, and ingest counted them."""
    assert live.complete
    assert live.out_of_order == 0
    assert set(live.gaps) <= {"overflow", "stale"}
    assert 0 < dropped <= live.gaps["overflow"] <= dropped + HELD_FRAMES


def test_a_single_node_that_restarts_costs_nothing(tmp_path: Path) -> None:
    require_kafka()
    with cluster(1) as (node,), long_film(tmp_path, [node]) as deployed:
        begin(deployed)
        node.stop()
        time.sleep(OUTAGE_S / 4)  # the outage itself
        node.start()
        node.wait_ready()
        assert not deployed.seen().is_closed
        assert_whole(deployed.wait_closed(180.0), FILM, crashes=2)
        assert_nobody_left(deployed)
        wait_for_alerts(deployed, repeats=2)


@pytest.mark.long
def test_roles_that_are_told_to_stop_without_a_broker_end_in_time(tmp_path: Path) -> None:
    require_kafka()
    with cluster(1) as (node,), long_film(tmp_path, [node]) as deployed:
        begin(deployed)
        node.kill()
        for process in deployed.processes:
            assert process.is_running, process.text()[-2000:]
            assert process.stop() in {EXIT_OK, EXIT_DRAIN_TIMEOUT}, process.text()[-2000:]
