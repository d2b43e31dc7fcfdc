"""A network that is slow, breaks or forgets: roles go on once it is good, and lose nothing."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.faults.film import (
    FILM,
    FULL,
    LIMIT_S,
    OUTAGE_S,
    RECOVERY_S,
    assert_nobody_left,
    begin,
    long_film,
)
from tests.faults.verdict import assert_whole, wait_for_alerts
from tests.support.kafka import Node, cluster, require_kafka
from tests.support.proxy import CALM, Fault, Proxy, proxied
from tests.support.roles import Deployment
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S)]

SEEDS = range(5) if FULL else range(1)
NETWORKS = {
    "slow": (Fault(latency_s=(0.1, 0.3)), 300, 0),
    "reset": (Fault(reset_share=0.05), 20, 1),
    "cut": (Fault(carried_bytes=(1_000, 2_000_000)), 20, 1),
    "forgetful": (Fault(lost_share=0.3), 20, 0),
}
"""Each with the messages that it hits before it is over, and whether it may cost a membership."""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    require_kafka()
    with cluster(1) as (node,):
        yield node


@pytest.fixture(params=SEEDS)
def proxy(node: Node, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    with proxied(node.ports.proxy, node.ports.far, seed=request.param) as proxy:
        yield proxy


def assert_goes_on(deployed: Deployment, crashes: int) -> None:
    """Now that the network is good again; and nothing that it did shows in the topics."""
    there = deployed.records("masks")
    assert there < FILM, "the fault came too late"
    goes_on = partial(has_more, deployed, min(there + 20, FILM))
    wait_until(goes_on, f"more than {there} masks", RECOVERY_S, pause_s=0.2)
    seen = deployed.wait_closed(240.0)
    assert_whole(seen, FILM, crashes=crashes)
    wait_for_alerts(deployed, repeats=crashes)
    assert_nobody_left(deployed)


def has_more(deployed: Deployment, count: int) -> bool:
    return deployed.records("masks") >= count


@pytest.mark.parametrize(
    "name",
    ["cut", *(pytest.param(each, marks=pytest.mark.long) for each in NETWORKS if each != "cut")],
)
def test_a_bad_network_costs_nothing(tmp_path: Path, node: Node, proxy: Proxy, name: str) -> None:
    with long_film(tmp_path, [node], transport=f"kafka://127.0.0.1:{node.ports.proxy}") as deployed:
        begin(deployed)
        fault, strikes, crashes = NETWORKS[name]
        proxy.impose(fault)
        wait_until(lambda: proxy.struck >= strikes, f"{strikes} messages are hit", 120.0)
        proxy.impose(CALM)
        assert_goes_on(deployed, crashes)


@pytest.mark.long
def test_a_network_that_stands_still_costs_nothing(
    tmp_path: Path, node: Node, proxy: Proxy
) -> None:
    with long_film(tmp_path, [node], transport=f"kafka://127.0.0.1:{node.ports.proxy}") as deployed:
        begin(deployed)
        proxy.impose(Fault(is_stalled=True))
        time.sleep(OUTAGE_S)  # the fault itself, not a wait for something
        assert proxy.struck
        proxy.impose(CALM)
        assert_goes_on(deployed, crashes=1)
