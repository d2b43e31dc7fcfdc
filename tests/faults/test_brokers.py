"""Brokers that die, come back, or are away for a while: roles wait, and lose nothing."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from stream.errors import EXIT_DRAIN_TIMEOUT, EXIT_OK
from stream.health import STILL_S
from stream.ingest import HELD_FRAMES
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
from tests.faults.live import GATE, answered, arrivals_us, gate, now_us, wait_back_us
from tests.faults.verdict import assert_each_whole, assert_whole, wait_for_alerts, wait_for_results
from tests.support.kafka import Copies, Node, cluster, copies, require_kafka
from tests.support.roles import Deployment, Seen
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 5 if FULL else 2
QUORUM_LOST_S = STILL_S + 10
"""Longer than anything may stand still while brokers are there."""
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
        wait_for_alerts(deployed, repeats=True)


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


def test_without_a_quorum_roles_wait(tmp_path: Path, kafka3: list[Node]) -> None:
    cameras, fresh = [YARD, gate(tmp_path)], {"max_age": "3s"}  # a busy machine is no fault here
    with long_film(tmp_path, kafka3, cameras=cameras, freshness=fresh) as deployed:
        begin(deployed)
        wait_for_results(deployed, 200)  # what work takes of memory is taken
        began_us = now_us()
        for node in kafka3[:2]:
            node.kill()
        assert_waiting(deployed, QUORUM_LOST_S)
        for node in kafka3[:2]:
            node.start()
        for node in kafka3[:2]:
            node.wait_ready()
        outage_us = began_us, wait_back_us(deployed)
        assert not film_is_done(deployed)
        wait_until(partial(film_is_done, deployed), "the film is done", 240.0, pause_s=1.0)
        assert_nobody_left(deployed)
        dropped = stopped_ingest(deployed)
        seen = deployed.wait_closed(60.0)
        assert_whole(seen, FILM, crashes=2)
        assert_told(seen, dropped)
        (live,) = (each for each in seen.audit.epochs if each.camera == GATE)
        part, frames = answered(arrivals_us(deployed), live.offered, outage_us)
        print(f"of {frames} live frames outside the outage {part:.4f} were answered")
        assert part >= 0.99
        wait_for_alerts(deployed, repeats=True)


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


def film_is_done(deployed: Deployment) -> bool:
    return any(each.closed for each in deployed.seen().audit.epochs)


def stopped_ingest(deployed: Deployment) -> float:
    """Stop it; returns how many live frames it says that it dropped."""
    (ingest,) = (each for each in deployed.processes if each.role == "ingest")
    dropped = ingest.metric("frames_dropped_total", camera=GATE, reason="overflow")
    assert ingest.stop() == EXIT_OK
    return dropped


def assert_told(seen: Seen, dropped: float) -> None:
    """The live camera's frames that brokers had no room for are a gap each, and counted."""
    (live,) = (each for each in seen.audit.epochs if each.camera == GATE)
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
        assert not film_is_done(deployed)
        assert_whole(deployed.wait_closed(180.0), FILM, crashes=2)
        assert_nobody_left(deployed)
        wait_for_alerts(deployed, repeats=True)


def test_roles_that_are_told_to_stop_without_a_broker_end_in_time(tmp_path: Path) -> None:
    require_kafka()
    with cluster(1) as (node,), long_film(tmp_path, [node]) as deployed:
        begin(deployed)
        node.kill()
        for process in deployed.processes:
            assert process.is_running, process.text()[-2000:]
            assert process.stop() in {EXIT_OK, EXIT_DRAIN_TIMEOUT}, process.text()[-2000:]
