"""One trace from a camera to the webhook that its frame led to."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stream.cli.bench.clips import beginning
from stream.errors import EXIT_OK
from tests.support.collector import Collector, Seen, collector
from tests.support.kafka import free_ports
from tests.support.receiver import SECRET, UP, Receiver, receiver
from tests.support.roles import DATA, MODEL, deployment
from tests.support.waiting import wait_until

FRAMES = 12
ANYBODY = {"id": "anybody", "kind": "presence", "camera": "yard", "frames": 2, "notify": ["ops"]}
RUN = [sys.executable, "-c", "from stream.cli import main; main()", "run"]


def document(folder: Path, ops: Receiver, **more: Any) -> dict[str, Any]:
    """Sections of a configuration that opens an alert and tells ``ops`` of it, with a picture."""
    clip = beginning(DATA / "yard.mp4", FRAMES, folder)
    secret = folder / "secret"
    secret.write_text(SECRET)
    return {
        "model": MODEL,
        "cameras": [{"id": "yard", "url": str(clip), "mode": "archive"}],
        "pictures": {"encoding": "jpeg"},
        "rules": [ANYBODY],
        "endpoints": [
            {"id": "ops", "url": ops.url, "secret": {"file": str(secret)}, "allow_private": True}
        ],
        "evidence": {"store": str(folder / "out")},
        **more,
    }  # fmt: skip


def run(folder: Path, ops: Receiver, **more: Any) -> "subprocess.CompletedProcess[str]":
    config = folder / "config.yaml"
    config.write_text(json.dumps(document(folder, ops, **more)))
    done = subprocess.run([*RUN, config], capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == EXIT_OK, done.stderr
    assert "nothing missing" in done.stdout
    return done


@dataclass
class Traced:
    """The trace of the frame that opened an alert."""

    spans: list[Seen]

    def only(self, name: str, role: str = "") -> Seen:
        (found,) = (each for each in self.spans if each.name == name and role in each.role)
        return found

    def within(self, outer: Seen) -> list[str]:
        """The spans in another, in the order in which they began."""
        return [each.name for each in self.spans if each.parent == outer.span_id]


def traced_alert(found: Collector) -> Traced:
    notify = next(each for each in found.named("notify") if each.words["state"] == "opened")
    return Traced(found.of(notify.trace_id))


def assert_leads_from_the_camera_to_the_webhook(traced: Traced) -> None:
    first, *others = traced.spans
    assert (first.name, first.parent, first.words["camera"]) == ("ingest", "", "yard")
    assert {each.parent for each in others} <= {each.span_id for each in traced.spans}
    ingest, segment, watch = map(traced.only, ("ingest", "segment", "watch"))
    notify = next(each for each in traced.spans if each.name == "notify")
    assert [each.parent for each in (segment, watch, notify)] == [
        each.span_id for each in (ingest, segment, watch)
    ]
    assert traced.within(ingest)[:3] == ["convert", "encode", "publish"]
    assert traced.within(segment)[:-1] == [
        "decode", "wait", "letterbox", "network", "post-processing", "instances", "encode",
        "publish",
    ]  # fmt: skip
    assert traced.within(watch)[:2] == ["rules", "publish"]
    assert traced.within(notify)[0] == "snapshot"
    deliver = next(each for each in traced.spans if each.name == "deliver")
    assert deliver.parent == notify.span_id
    assert deliver.words["endpoint"] == "ops"
    assert (deliver.words["attempt"], deliver.words["answer"]) == (1, "200 OK")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collector, Receiver]:
    """A run of which every frame is traced."""
    folder = tmp_path_factory.mktemp("traced")
    with collector() as found, receiver(UP) as ops:
        run(folder, ops, traces={"endpoint": found.url, "ratio": 1.0})
    return found, ops


def test_one_trace_leads_from_the_camera_to_the_webhook(ran: tuple[Collector, Receiver]) -> None:
    found, _ = ran
    assert_leads_from_the_camera_to_the_webhook(traced_alert(found))
    assert len({each.trace_id for each in found.named("ingest")}) == FRAMES
    assert len(found.named("segment")) == len(found.named("watch")) == FRAMES


def test_the_webhook_is_told_the_trace(ran: tuple[Collector, Receiver]) -> None:
    found, ops = ran
    delivers = {f"00-{each.trace_id}-{each.span_id}-01" for each in found.named("deliver")}
    assert {each["traceparent"] for each in ops.headers} == delivers


def test_all_that_comes_of_an_alert_is_in_the_trace_of_its_opening(
    ran: tuple[Collector, Receiver],
) -> None:
    found, _ = ran
    of_alerts: dict[str, set[str]] = {}
    for each in found.named("notify"):
        of_alerts.setdefault(each.words["alert"], set()).add(each.trace_id)
    assert all(len(traces) == 1 for traces in of_alerts.values())


def test_nothing_is_traced_or_loaded_where_none_of_the_frames_is(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv[1:] = ['run', sys.argv[1]]\n"
        "from stream.cli import main\n"
        "main()\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    with collector() as found, receiver(UP) as ops:
        sections = document(tmp_path, ops, traces={"endpoint": found.url, "ratio": 0})
        config = tmp_path / "config.yaml"
        config.write_text(json.dumps(sections))
        command = [sys.executable, "-c", program, str(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
        assert done.returncode == EXIT_OK, done.stderr
        assert (found.requests, bool(ops.taken)) == (0, True)
        assert not [each for each in ops.headers if "traceparent" in each]


@pytest.mark.long
@pytest.mark.slow
def test_a_collector_that_is_away_costs_no_frame_and_is_told_of_once(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with receiver(UP) as ops:
        done = run(tmp_path, ops, traces={"endpoint": f"http://127.0.0.1:{port}", "ratio": 1.0})
        assert ops.taken
    said = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert len([each for each in said if "traces cannot be sent" in each]) == 1
    assert not [each for each in said if each.startswith(("Transient", "Failed to export"))]


@pytest.mark.slow
def test_on_kafka_each_role_tells_its_part(tmp_path: Path, kafka: str) -> None:
    with collector() as found, receiver(UP) as ops:
        traces = {"endpoint": found.url, "ratio": 1.0}
        sections = document(tmp_path, ops, traces=traces, zones=[])
        with deployment(tmp_path, kafka, **sections) as deployed:
            readers = deployed.start("segment --workers 2", "watch", "notify")
            wait_until(partial(readers[0].answers, "/readyz"), "both workers have their share")
            deployed.start("ingest")
            wait_until(lambda: bool(ops.taken), "the alert is taken")
            deployed.wait_closed()
            assert [each.stop() for each in readers] == [EXIT_OK] * 3
            wait_until(lambda: not deployed.processes[-1].is_running, "ingest has ended")
        traced = traced_alert(found)
        assert_leads_from_the_camera_to_the_webhook(traced)
        roles = {each.role for each in traced.spans}
        assert roles == {"ingest", "segment", "watch", "notify"}
