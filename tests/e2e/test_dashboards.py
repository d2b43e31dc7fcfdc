"""Dashboards, recordings and alarms are true: a real Prometheus scrapes a real run on Kafka."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from connectors.nvml import open_cards
from stream.declared import Arrival
from tests.support.alertmanager import Alertmanager, alertmanager
from tests.support.grafana import Asked, asked, chosen, filled
from tests.support.kafka import free_ports
from tests.support.prometheus import SCRAPE_S, Prometheus, Site, Target, prometheus
from tests.support.receiver import UP, Receiver, receiver
from tests.support.recorded_site import RECORDED, recorded_site
from tests.support.roles import DATA, Deployment, deployment
from tests.support.rules import alarms, below, hurried, hurried_copies, recordings
from tests.support.waiting import wait_until

REAL = "site"
ROLES = ("segment", "watch", "notify", "ingest")
MINUTE_S = 1.0
"""How long a minute of the rules lasts here."""
DEADLINE_S = 120.0
STEP_S = 2.0

GPU = "a GPU"
CLUSTER = "kube-state-metrics"
NETWORK = "a camera on the network that tells its clock"
PAGE = "the HTTP API"
FAILURE = "something that went wrong"
SHADOW = "a second model that is tried"

PANELS: Mapping[str, str] = {
    "Overview / Alarms that fire / 0": FAILURE,
    "Overview / Alarms that fire, by name / 0": FAILURE,
    "Overview / GPU busy / 0": GPU,
    "Overview / Frames a second / 2": FAILURE,
    "Overview / Replicas, wanted and ready / 0": CLUSTER,
    "Overview / Replicas, wanted and ready / 1": CLUSTER,
    "Pipeline / Frames without a result, by reason / 0": FAILURE,
    "Pipeline / Dead letters, by topic and reason / 0": FAILURE,
    "Pipeline / Replicas, wanted and ready / 0": CLUSTER,
    "Pipeline / Replicas, wanted and ready / 1": CLUSTER,
    "Pipeline / Requests, by route and status / 0": PAGE,
    "Pipeline / Time of a request (p95), by route / 0": PAGE,
    "Cameras / Live, but ill / 0": FAILURE,
    "Cameras / Connecting / 0": FAILURE,
    "Cameras / Lost / 0": FAILURE,
    "Cameras / Failed / 0": FAILURE,
    "Cameras / Cameras that are not well now / 0": FAILURE,
    "Cameras / Conditions that hold now / 0": FAILURE,
    "Cameras / Frames skipped: the ten cameras with most / 0": FAILURE,
    "Cameras / Frames in error: the ten cameras with most / 0": FAILURE,
    "Cameras / Clocks of cameras: the ten farthest off / 0": NETWORK,
    "GPU and model / GPU busy, by pod / 0": GPU,
    "GPU and model / GPU memory, share in use / 0": GPU,
    "GPU and model / GPU memory, used and there / 0": GPU,
    "GPU and model / GPU memory, used and there / 1": GPU,
    "GPU and model / Frames that did not fit / 0": FAILURE,
    **dict.fromkeys((f"{query}" for query in asked() if "_shadow_" in query.expr), SHADOW),
    "Alerts / Given up / 0": FAILURE,
    "Alerts / Alerts in dead-letters a minute / 0": FAILURE,
}
"""Queries that have no answer on a machine like this while all is well, and what they want."""

RULES: Mapping[str, str] = {
    "namespace_camera_reason:maskstream_gaps:rate2m": FAILURE,
    "namespace_pod_gpu:maskstream_gpu_memory:ratio": GPU,
    "namespace_horizontalpodautoscaler:maskstream_replicas:ratio": CLUSTER,
    "MaskstreamGpuMemoryHigh": GPU,
    "MaskstreamCameraQuarantined": FAILURE,
    "MaskstreamAtMaxReplicas": CLUSTER,
}
"""The same of recordings, and of what is below an alarm's comparison."""


@dataclass(frozen=True)
class Run:
    """A run that is scraped since ``start``, and who is told of alarms."""

    prometheus: Prometheus
    manager: Alertmanager
    start: float

    def finite(self, expr: str) -> list[Mapping[str, str]]:
        """The labels of the series of a query that had a number at some time of the run."""
        end = time.time()
        steps = int((end - self.start) / STEP_S)
        found = self.prometheus.over(expr, end - steps * STEP_S, end, STEP_S)
        return [each["metric"] for each in found if any(map(_is_number, each["values"]))]


def _is_number(value: Any) -> bool:
    return math.isfinite(float(value[1]))


def cameras() -> list[dict[str, Any]]:
    film = str(DATA / "yard.mp4")
    return [
        {"id": "yard", "url": film, "mode": "archive", "fps": 1},
        {"id": "gate", "url": film, "mode": "live", "fps": 2, "loop": True},
    ]


@pytest.fixture(scope="module")
def run(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A file and a live camera, looked at by all four roles, and an alert that was delivered.

    All of it is scraped from its first moment, as what rises before that rises for nobody.
    """
    folder = tmp_path_factory.mktemp("run")
    with ExitStack() as stack:
        ports = dict(zip(ROLES, free_ports(len(ROLES)), strict=True))
        targets = [
            Target(f"127.0.0.1:{port}", {"namespace": REAL, "pod": f"{role}-0"})
            for role, port in ports.items()
        ]
        page = stack.enter_context(recorded_site())
        targets.append(Target(page, {"namespace": RECORDED, "pod": "segment-0"}))
        manager = stack.enter_context(alertmanager(folder))
        rules = hurried_copies(folder, MINUTE_S, SCRAPE_S)
        site = Site(targets, rules, urlsplit(manager.url).netloc)
        found = stack.enter_context(prometheus(folder, site))
        started = Run(found, manager, time.time())
        ops = stack.enter_context(receiver(UP))
        stack.enter_context(deployed(folder, kafka, ops, ports))
        wait_until(partial(has_all, found, ops), "all of it is done, and scraped", DEADLINE_S)
        yield started


@contextmanager
def deployed(
    folder: Path, kafka: str, ops: Receiver, ports: Mapping[str, int]
) -> Iterator[Deployment]:
    """The four roles, each with its probes where Prometheus looks for them."""
    store = {"store": str(folder / "evidence")}
    anybody = {"id": "anybody", "kind": "presence", "camera": "gate", "frames": 1}
    patient = {"max_age": "5m"}  # on a busy machine every live frame could be too old
    sections: dict[str, Any] = {
        "cameras": cameras(),
        "zones": [],
        "rules": [anybody],
        "evidence": store,
    }
    with deployment(folder, kafka, **sections, freshness=patient) as made:
        made.tell(ops)
        for role, port in ports.items():
            made.configure(health={"host": "127.0.0.1", "port": port})
            made.begin(role)
        yield made


def has_all(found: Prometheus, ops: Receiver) -> bool:
    """Whether the file has ended, an alert was taken, and the slowest recording has its past."""
    told = (
        'maskstream_camera_state{camera="yard", state="ended"} == 1',
        "maskstream_delivered_age_seconds_count > 0",
        f'namespace_topic:maskstream_lag_records:growth10m{{namespace="{REAL}"}}',
    )
    return bool(ops.taken) and all(found.query(each) for each in told)


def test_every_query_of_every_panel_finds_what_it_asks_for(run: Run) -> None:
    empty, listed = [], set()
    for query in asked():
        wants = PANELS.get(str(query))
        namespace = REAL if wants is None else RECORDED
        listed |= {str(query)} & PANELS.keys()
        if not run.finite(sent(query, namespace)):
            empty.append(f"{query}: {sent(query, namespace)}")
    assert empty == []
    assert listed == PANELS.keys(), "a panel is listed that is no more"


def sent(query: Asked, namespace: str) -> str:
    return hurried(filled(query.expr, {"namespace": namespace}, STEP_S, SCRAPE_S), MINUTE_S)


def test_what_is_listed_as_absent_here_is_absent(run: Run) -> None:
    """Or the list would hide what has come since. Things may go wrong here, or not."""
    with open_cards() as cards:
        absent = {CLUSTER, NETWORK, PAGE, SHADOW} | (set() if cards else {GPU})
    there = [
        str(query)
        for query in asked()
        if PANELS.get(str(query)) in absent and run.finite(sent(query, REAL))
    ]
    assert there == []


def test_every_recording_is_recorded_and_every_alarm_has_something_to_compare(run: Run) -> None:
    exprs = {rule["record"]: rule["record"] for rule in recordings()}
    exprs |= {rule["alert"]: hurried(below(rule), MINUTE_S) for rule in alarms()}
    assert exprs.keys() >= RULES.keys()
    empty = []
    for name, expr in exprs.items():
        namespace = RECORDED if name in RULES else REAL
        if namespace not in {each.get("namespace") for each in run.finite(expr)}:
            empty.append(f"{name}: {expr}")
    assert empty == []
    assert run.prometheus.health() == []


def test_ages_are_told_at_every_place_and_of_live_cameras_alone(run: Run) -> None:
    places = run.finite(f'maskstream_frame_age_seconds_count{{namespace="{REAL}"}}')
    assert {each["at"] for each in places} == set(get_args(Arrival))
    made = run.finite(f'maskstream_result_age_seconds_count{{namespace="{REAL}"}}')
    assert {each["camera"] for each in made} == {"gate"}


def test_a_camera_and_a_pod_can_be_chosen(run: Run) -> None:
    for name, query in chosen().items():
        inner = filled(query, {"namespace": REAL}, STEP_S, SCRAPE_S)
        metric, _, label = inner.removeprefix("label_values(").removesuffix(")").rpartition(", ")
        assert label == name
        assert {each[name] for each in run.finite(metric)} >= SHOWN[name]


SHOWN = {"namespace": {REAL}, "pod": {f"{role}-0" for role in ROLES}, "camera": {"yard", "gate"}}


def test_an_alarm_that_fires_reaches_alertmanager(run: Run) -> None:
    def lost() -> list[dict[str, Any]]:
        wanted = {"alertname": "MaskstreamCameraLost", "camera": "away"}
        found = run.manager.alerts()
        return [each for each in found if each["labels"].items() >= wanted.items()]

    wait_until(lambda: bool(lost()), "Alertmanager has it")
    (alarm,) = lost()
    assert alarm["status"]["state"] == "active"
    assert alarm["labels"]["severity"] == "critical"
    assert alarm["annotations"]["summary"] == f"Camera away of {RECORDED} is lost"
    assert alarm["annotations"]["runbook_url"].endswith("#maskstreamcameralost")
