"""How soon a step of load asks for a pod, and what happens where Prometheus is away."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from tests.cluster.site import Site, site
from tests.support.cluster.plane import Plane
from tests.support.kafka import ROOT
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

OUT = ROOT / "out" / "cluster"
PROMISED_S = 30.0
"""A step of load to the first new pod that is asked for."""
STEP = 4
"""Cameras; one is there before. They offer twice what a segment is able to do."""
PHASE_S = 3.0
"""The autoscaler looks every 15 s: each trial begins at another moment of its turn."""
NO_LAG = 1_000_000
"""A capacity for which no lag here asks for a pod."""
QUIET_S = 180.0
AWAY_S = 90.0
"""More than KEDA needs to give a trigger up: three looks, 10 s each, and 15 s of the autoscaler."""


@pytest.fixture(scope="module")
def busy(plane: Plane, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(plane, kafka, tmp_path_factory.mktemp("busy"), "busy") as running:
        yield running


def _wait_calm(busy: Site) -> None:
    def is_calm() -> bool:
        scale = busy.release.scale("segment")
        return scale.desired == scale.asked == scale.ready == 1

    wait_until(is_calm, "one segment is enough", QUIET_S, pause_s=0.5)


def _step_s(busy: Site) -> float:
    """How long it takes from the first frame of a step until a pod is there that was not."""
    began = datetime.now(UTC)
    with ThreadPoolExecutor(1) as thread:
        offered = thread.submit(busy.offer, STEP)
        wait_until(
            lambda: busy.release.scale("segment").there > 1, "a pod more is there", QUIET_S, 0.1
        )
        there = datetime.now(UTC)
        offered.result()
    return (there - min(_live(busy, began))).total_seconds()


def _live(busy: Site, since: datetime) -> list[datetime]:
    """When cameras became live, by the log of ingest."""
    said = [each for each in busy.ingest.said() if each["event"].endswith(": live")]
    times = [datetime.fromisoformat(each["time"]) for each in said]
    return [each for each in times if each > since]


def _measured(busy: Site, name: str, trials: int) -> list[float]:
    took_s = []
    for number in range(trials):
        busy.offer(1)
        _wait_calm(busy)
        time.sleep(PHASE_S * number)
        took_s.append(round(_step_s(busy), 1))
        print(f"  {name}, step {number + 1}: {took_s[-1]} s; {busy.release.metrics('segment')}")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"reaction-{name}.json").write_text(json.dumps({"steps_s": took_s}) + "\n")
    return took_s


def test_demand_alone_asks_for_a_pod_in_time(busy: Site) -> None:
    busy.upgrade(segment={"scaling": {"capacity": NO_LAG}})
    assert max(_measured(busy, "demand", 5)) <= PROMISED_S


def test_demand_and_lag_ask_for_a_pod_in_time(busy: Site) -> None:
    busy.upgrade(segment={"scaling": {"capacity": 10}})
    assert max(_measured(busy, "both", 3)) <= PROMISED_S


def test_no_pod_goes_while_prometheus_is_away(busy: Site) -> None:
    busy.offer(STEP)
    wait_until(lambda: busy.release.scale("segment").ready > 1, "there are more", QUIET_S, 0.5)
    busy.offer(1)
    busy.watching.close()
    before = busy.release.scale("segment").asked
    until_s, seen = time.monotonic() + AWAY_S, [before]
    while time.monotonic() < until_s:
        seen.append(busy.release.scale("segment").asked)
        time.sleep(1.0)
    print(f"  Prometheus away for {AWAY_S:g} s: {sorted(set(seen))} pods asked for")
    assert seen == sorted(seen)
