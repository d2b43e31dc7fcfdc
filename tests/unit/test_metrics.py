"""Every metric, declared once."""

import logging
import platform
import re
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client import generate_latest
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Sample

from connectors.metrics import OPENMETRICS
from stream.cli.measured import measured
from stream.cli.metrics import STAGES, page
from stream.declared import AGE_BUCKETS_S, FINITE, PREFIX, SHADOW, TOGETHER
from stream.metrics import Metrics
from stream.stages import Stage
from stream.types import AlertState, CameraState

ROOT = Path(__file__).parents[2]


def families() -> dict[str, tuple[str, str]]:
    """Name → (type, help) of all metrics."""
    return {each.name: (each.type, each.documentation) for each in Metrics().registry.collect()}


def test_each_name_says_whose_it_is_and_each_has_a_help_text() -> None:
    assert len(families()) > 10
    for name, (_, text) in families().items():
        assert re.fullmatch(r"maskstream_[a-z]+(_[a-z]+)*", name)
        assert text


def test_histograms_name_their_unit() -> None:
    for name, (kind, _) in families().items():
        if kind == "histogram":
            assert name.endswith(("_seconds", "_views", "_instances", "_ratio"))


def test_processes_in_one_interpreter_do_not_share_figures() -> None:
    one, other = Metrics(), Metrics()
    one.results.labels("hall").inc(3)
    assert one.registry.get_sample_value("maskstream_results_total", {"camera": "hall"}) == 3
    assert other.registry.get_sample_value("maskstream_results_total", {"camera": "hall"}) is None
    assert b"maskstream_results_total" in generate_latest(one.registry)


def test_nothing_that_a_shadow_tells_is_called_as_the_pipelines_figures_are() -> None:
    shadow = Metrics(SHADOW)
    told = {each.name.removeprefix(SHADOW) for each in shadow.registry.collect()}
    assert told <= {name.removeprefix(SHADOW).removeprefix(PREFIX) for name in families()}
    assert all(each.name.startswith(SHADOW) for each in shadow.registry.collect())
    assert all(each.name.startswith(SHADOW) for each in shadow.declared)
    for role, prefix in (("shadow", SHADOW), ("compare", SHADOW), ("segment", PREFIX)):
        with measured(role) as metrics:
            assert f"{prefix}build_info" in generate_latest(metrics.registry).decode()


def test_alerts_of_a_rule_are_at_0_before_the_first() -> None:
    """Or else `increase()` would not see it."""
    metrics = Metrics()
    metrics.expects_alerts(["keep-out"])
    for state in get_args(AlertState):
        labels = {"rule": "keep-out", "state": state}
        assert metrics.registry.get_sample_value("maskstream_alerts_total", labels) == 0


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_a_camera_costs_a_process_no_more_series_than_say_something(accept: str) -> None:
    metrics = Metrics()
    metrics.expects_gaps("hall")
    metrics.results.labels("hall").inc()
    metrics.instances.labels("hall").inc(3)
    metrics.result_age.labels("hall").observe(0.2)
    encode, _ = choose_encoder(accept)
    lines = [each for each in encode(metrics.registry).decode().splitlines() if "hall" in each]
    gaps, buckets = len(FINITE["gaps.reason"]), len(AGE_BUCKETS_S) + 1
    assert len(lines) == 1 + 1 + gaps + buckets + len(("sum", "count"))


def test_what_processes_do_not_add_up_is_declared() -> None:
    declared = {each.name: each.kind for each in Metrics().declared}
    ours = [name for name in TOGETHER if name.startswith("maskstream_")]
    assert {declared[name] for name in ours} == {"gauge"}


def test_what_a_label_may_be_is_known_by_metric() -> None:
    declared = {each.name: each for each in Metrics().declared}
    assert declared["maskstream_camera_state"].values("state") == get_args(CameraState)
    assert declared["maskstream_alerts_total"].values("state") == get_args(AlertState)
    assert declared["maskstream_frames_dropped_total"].values("reason") == ("overflow",)
    assert declared["maskstream_gaps_total"].values("reason") == (
        "stale", "expired", "dead_letter", "quarantined",
    )  # fmt: skip
    assert "decode_error" in declared["maskstream_dead_letters_total"].values("reason")
    assert declared["maskstream_results_total"].values("camera") == ()


@pytest.mark.parametrize("name", [name for name in FINITE if "." in name])
def test_values_of_one_metric_name_one_that_there_is(name: str) -> None:
    metric, _, label = name.partition(".")
    assert any(
        each.name == f"maskstream_{metric}_total" and label in each.labels
        for each in Metrics().declared
    )


def test_the_page_of_the_metrics_is_up_to_date() -> None:
    written = (ROOT / "docs" / "metrics.md").read_text()
    assert written == page(), "run: maskstream metrics docs > docs/metrics.md"


def test_the_page_says_what_each_stage_is() -> None:
    assert tuple(STAGES) == get_args(Stage)


def test_the_lag_of_a_partition_that_is_gone_is_told_no_more() -> None:
    metrics = Metrics()
    metrics.behind({"frames": {"0": 3, "1": 4}, "masks": {"0": 1}})
    metrics.behind({"frames": {"1": 5}, "masks": {"0": 0}})
    told = {tuple(each.labels.values()): each.value for each in samples(metrics, "lag_records")}
    assert told == {("frames", "1"): 5, ("masks", "0"): 0}
    metrics.behind({})
    assert samples(metrics, "lag_records") == []


def test_a_camera_is_in_one_state_whenever_a_scrape_reads(eager_threads: None) -> None:
    metrics, begun, done = Metrics(), threading.Event(), threading.Event()
    metrics.camera_state.tell("hall", "live")
    metrics.camera_state.tell("gate", "live")
    metrics.forget("gate")

    def change() -> None:
        while not done.is_set():
            for state in get_args(CameraState):
                metrics.camera_state.tell("hall", state)
            begun.set()

    changing = threading.Thread(target=change)
    changing.start()
    begun.wait()
    scrapes = [samples(metrics, "camera_state") for _ in range(3000)]
    done.set()
    changing.join()
    for found in scrapes:
        told = {each.labels["state"]: each.value for each in found}
        assert sorted(told.values()) == [0] * (len(told) - 1) + [1]
        assert told.keys() == set(get_args(CameraState))


def samples(metrics: Metrics, name: str) -> list[Sample]:
    families = metrics.registry.collect()
    return [
        each for family in families for each in family.samples if each.name == f"maskstream_{name}"
    ]


def test_a_process_says_what_it_is_and_counts_what_it_complains_of() -> None:
    with measured("watch") as metrics:
        logging.getLogger("stream.watch").warning("one")
        logging.getLogger("aiokafka").error("two")
        logging.getLogger("stream.watch").critical("three")
        logging.getLogger("stream.watch").info("nothing to count")
    logging.getLogger("stream.watch").error("after its end")
    (build,) = samples(metrics, "build_info")
    assert build.value == 1
    assert build.labels == {
        "version": version("maskstream"), "python": platform.python_version(), "role": "watch",
    }  # fmt: skip
    counted = {each.labels["level"]: each.value for each in samples(metrics, "logged_total")}
    assert counted == {"warning": 1, "error": 2}
    began_s = metrics.registry.get_sample_value("process_start_time_seconds")
    assert began_s is not None
    assert 0 < began_s <= time.time() + 1  # /proc counts in hundredths of a second
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
        assert metrics.registry.get_sample_value(name), name
