"""How many pods the chart's triggers ask for: Prometheus answers their queries on samples."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.kafka.topics import name_of
from stream.cli.arguments import Part
from stream.cli.jobs import job_of
from stream.cli.pipeline import Common, notify_role, watch_role
from stream.config import parse
from stream.kafka_spec import KafkaSpec
from tests.support.alarms.case import promtool
from tests.support.helm import CHART, MINIMAL, Object, named, of_kind, rendered

INGEST = 'namespace="cameras", pod="site-ingest-{pod}"'
Series = Mapping[str, str]


def trigger(component: str, name: str, *values: str) -> Mapping[str, Any]:
    """The metadata of a trigger by its name."""
    scaled = named(rendered(*MINIMAL, *values), "ScaledObject", f"site-{component}")
    (found,) = [each for each in scaled["spec"]["triggers"] if each.get("name") == name]
    return cast(Mapping[str, Any], found["metadata"])


def ingest(*pods: int) -> Series:
    """Pods that are scraped."""
    return {
        f'maskstream_build_info{{{INGEST.format(pod=pod)}, role="ingest"}}': "1x120" for pod in pods
    }


def offered(camera: str, rate: int, pod: int = 0, *, live: bool = True, since: int = 0) -> Series:
    """A camera that offers so many frames a second, from a scrape on. Only live ones have
    conditions.
    """
    labels = f'{INGEST.format(pod=pod)}, camera="{camera}"'
    before = f"_x{since} " if since else ""
    conditions = {
        f'maskstream_camera_condition{{{labels}, condition="{each}"}}': f"{before}0x120"
        for each in ("lost", "black")
    }
    frames = {f"maskstream_frames_offered_total{{{labels}}}": f"{before}0+{10 * rate}x120"}
    return {**frames, **(conditions if live else {})}


def able(capacity: float, pod: str = "segment-0", namespace: str = "cameras") -> Series:
    labels = f'namespace="{namespace}", pod="site-{pod}"'
    return {f"maskstream_capacity_frames_per_second{{{labels}}}": f"{capacity}x120"}


SEGMENT: Mapping[str, tuple[Series, float | None]] = {
    "60 frames/s of 0.7 × 50 are two pods": (
        {
            **ingest(0),
            **offered("hall", 20),
            **offered("gate", 20),
            **offered("yard", 20),
            **able(50),
        },
        2,
    ),
    "35 of 0.7 × 50 are just one": ({**ingest(0), **offered("hall", 35), **able(50)}, 1),
    "700 of 0.7 × 50 are twenty": ({**ingest(0), **offered("hall", 700), **able(50)}, 20),
    "of what pods are able to do, the mean": (
        {**ingest(0), **offered("hall", 60), **able(40), **able(60, "segment-1")},
        2,
    ),
    "a pod that has not told yet counts for nothing": (
        {**ingest(0), **offered("hall", 60), **able(50), **able(0, "segment-1")},
        2,
    ),
    "cameras of all ingests": (
        {**ingest(0, 1), **offered("hall", 40), **offered("gate", 40, pod=1), **able(50)},
        3,
    ),
    "files scale nothing": (
        {**ingest(0), **offered("hall", 20), **offered("film", 900, live=False), **able(50)},
        1,
    ),
    "a shadow and those of files are no help": (
        {
            **ingest(0),
            **offered("hall", 60),
            **able(50),
            **able(500, "shadow-0"),
            **able(500, "segment-archive-0"),
        },
        2,
    ),
    "nor are others of that name": (
        {**ingest(0), **offered("hall", 60), **able(50), **able(500, namespace="other")},
        2,
    ),
    "no live camera asks for none": (
        {**ingest(0), **offered("film", 900, live=False), **able(50)},
        0,
    ),
    "no camera at all asks for none": ({**ingest(0), **able(50)}, 0),
    "no ingest that is scraped says nothing": ({**able(50)}, None),
    "no segment that has told says nothing": ({**ingest(0), **offered("hall", 60)}, None),
}


def told(
    query: str, cases: Mapping[str, tuple[Series, float | None]], folder: Path, at: str = "2m"
) -> str:
    """What promtool says where a query gives other values than expected."""
    tests = [
        {
            "name": name,
            "interval": "10s",  # of the samples; the chart scrapes more often
            "input_series": [{"series": each, "values": values} for each, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": query,
                    "eval_time": at,
                    "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
                }
            ],
        }
        for name, (series, value) in cases.items()
    ]
    path = folder / "cases.yaml"
    path.write_text(json.dumps({"evaluation_interval": "10s", "tests": tests}))
    return promtool("test", "rules", str(path))


def test_segment_is_as_many_pods_as_live_cameras_ask_for(tmp_path: Path) -> None:
    assert told(trigger("segment", "offered")["query"], SEGMENT, tmp_path) == ""


def test_a_load_that_grows_asks_for_a_pod_with_its_second_scrape(tmp_path: Path) -> None:
    """Two more cameras are first seen at 1 min. HPA asks each 15 s, so that a pod is asked for
    within 30 s.
    """
    late = {**offered("gate", 60, since=6), **offered("yard", 60, since=6)}
    series = {**ingest(0), **offered("hall", 30), **able(50), **late}
    query = trigger("segment", "offered")["query"]
    for at, pods in (("60s", 1), ("70s", 2), ("90s", 5)):
        assert told(query, {at: (series, pods)}, tmp_path, at) == ""


def test_segment_comes_before_a_load_that_grows(tmp_path: Path) -> None:
    """From 0 on one frame a second more each 10 s: 90 after 15 min, and 120 after five more."""
    frames = [sum(each * 10 for each in range(step)) for step in range(121)]
    hall = f'{INGEST.format(pod=0)}, camera="hall"'
    series = {
        **ingest(0), **offered("hall", 0), **able(50),
        f'maskstream_frames_offered_total{{{hall}}}': " ".join(map(str, frames)),
    }  # fmt: skip
    query = trigger("segment", "ahead", "segment.scaling.predict.enabled=true")["query"]
    assert told(query, {"growing": (series, 4)}, tmp_path, "15m") == ""
    assert told(trigger("segment", "offered")["query"], {"now": (series, 3)}, tmp_path, "15m") == ""


def camera(name: str, state: str, pod: int = 0) -> Series:
    labels = f'{INGEST.format(pod=pod)}, camera="{name}"'
    states = ("connecting", "live", "lost", "ended", "failed")
    return {
        f'maskstream_camera_state{{{labels}, state="{each}"}}': f"{int(each == state)}x120"
        for each in states
    }


def test_ingest_is_as_many_pods_as_cameras_ask_for(tmp_path: Path) -> None:
    four = {
        **camera("a", "live"),
        **camera("b", "lost"),
        **camera("c", "connecting"),
        **camera("d", "live", 1),
    }
    cases: Mapping[str, tuple[Series, float | None]] = {
        "four of two each": ({**ingest(0, 1), **four}, 2),
        "five": ({**ingest(0, 1), **four, **camera("e", "failed")}, 3),
        "one that has moved is one": ({**ingest(0, 1), **four, **camera("d", "live", 0)}, 2),
        "a file that has ended is none": ({**ingest(0, 1), **four, **camera("film", "ended")}, 2),
        "no camera": (ingest(0), 0),
        "nobody is scraped": ({}, None),
    }
    query = trigger("ingest", "cameras", "ingest.scaling.camerasPerPod=2")["query"]
    assert told(query, cases, tmp_path) == ""


def endpoint(name: str, oldest_s: float, delivered: int, pod: int = 0) -> Series:
    process = f'namespace="cameras", pod="site-notify-{pod}"'
    labels = f'{process}, endpoint="{name}"'
    return {
        f"maskstream_deliveries_oldest_seconds{{{labels}}}": f"{oldest_s}x120",
        f'maskstream_deliveries_total{{{labels}, outcome="delivered"}}': f"0+{delivered}x120",
        f'maskstream_build_info{{{process}, role="notify"}}': "1x120",
    }


def test_notify_is_more_pods_where_alerts_wait_long(tmp_path: Path) -> None:
    cases: Mapping[str, tuple[Series, float | None]] = {
        "the oldest waits for 150 s of 60": (
            {**endpoint("ops", 150, 1), **endpoint("mail", 3, 1)},
            2.5,
        ),
        "no pod helps against an endpoint that takes nothing": (
            {**endpoint("ops", 9000, 0), **endpoint("mail", 30, 1)},
            0.5,
        ),
        "none takes anything": (endpoint("ops", 9000, 0), 0),
        "nobody is scraped": ({}, None),
    }
    assert told(trigger("notify", "oldest")["query"], cases, tmp_path) == ""


def test_what_is_not_known_is_not_taken_for_zero() -> None:
    for scaled in of_kind(
        rendered(*MINIMAL, "segment.scaling.predict.enabled=true"), "ScaledObject"
    ):
        assert scaled["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"
        for each in scaled["spec"]["triggers"]:
            if each["type"] == "prometheus":
                assert each["metadata"]["ignoreNullValues"] == "false"
                assert (each["metricType"], each["metadata"]["threshold"]) == ("AverageValue", "1")


@pytest.mark.parametrize(
    ("max_age", "capacity", "lag"), [("1s", 30, 22), ("2s", 300, 450), ("200ms", 1, 1)]
)
def test_the_threshold_of_lag_is_what_a_pod_does_in_three_quarters_of_the_age(
    max_age: str, capacity: int, lag: int
) -> None:
    values = (
        f'config.freshness={{"max_age": "{max_age}"}}',
        f"segment.scaling.capacity={capacity}",
    )
    assert trigger("segment", "lag", *values)["lagThreshold"] == str(lag)


def test_triggers_look_at_the_groups_and_topics_of_the_roles() -> None:
    objects = rendered(str(CHART / "examples" / "large-site.yaml"))
    spec = KafkaSpec(prefix="site-a.")
    settings = parse("model: {weights: w}\ntransport: kafka://k:1\n", "c.yaml")
    common = cast(Common, None)
    watch, notify = watch_role(common), notify_role(common, {}, None)
    reads = {
        "segment": [
            (job_of(Part.LIVE, settings).group, topic)
            for topic in job_of(Part.LIVE, settings).reads
        ],
        "segment-archive": [
            (job_of(Part.ARCHIVE, settings).group, topic)
            for topic in job_of(Part.ARCHIVE, settings).reads
        ],
        "watch": [(watch.name, topic) for topic in watch.reads],
        "notify": [(notify.name, topic) for topic in notify.reads],
    }
    for component, groups in reads.items():
        looked_at = [
            _group(each) for each in _lags(named(objects, "ScaledObject", f"site-{component}"))
        ]
        assert looked_at == [
            (name_of(f"{role}.{topic}", spec), name_of(topic, spec)) for role, topic in groups
        ]


def _lags(scaled: Object) -> Sequence[Mapping[str, Any]]:
    return [each["metadata"] for each in scaled["spec"]["triggers"] if each["type"] == "kafka"]


def _group(metadata: Mapping[str, Any]) -> tuple[str, str]:
    return metadata["consumerGroup"], metadata["topic"]


def test_times_with_more_pods_are_triggers_of_their_own() -> None:
    scaled = named(
        rendered(str(CHART / "examples" / "large-site.yaml")), "ScaledObject", "site-segment"
    )
    assert [each["type"] for each in scaled["spec"]["triggers"]] == [
        "prometheus",
        "kafka",
        "prometheus",
        "cron",
    ]
    assert scaled["spec"]["triggers"][-1]["metadata"] == {
        "timezone": "Europe/Berlin",
        "start": "45 6 * * 1-5",
        "end": "0 19 * * 1-5",
        "desiredReplicas": "20",
    }


def test_pods_come_fast_and_go_one_at_a_time() -> None:
    scaled = named(rendered(*MINIMAL), "ScaledObject", "site-segment")
    behavior = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"] == {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
    }
