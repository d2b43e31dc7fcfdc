"""Each alarm on recorded samples, with Prometheus' own promtool: when it fires and when not."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

from stream.evidence import CLIPS
from stream.types import GapReason, Mode
from tests.support.build import frame
from tests.support.prometheus import require_prometheus
from tests.support.rules import RULES, alarms
from tests.support.segmenting import Bench

STEP = "30s"
RULE = {each["alert"]: each for each in alarms()}


@dataclass(frozen=True)
class Case:
    """Samples every 30 s, in promtool's notation, and what an alarm makes of them after a while.

    ``labels`` are those of the one alert that fires; None: none does.
    """

    name: str
    alarm: str
    series: Mapping[str, str]
    after: str = "10m"
    labels: Mapping[str, str] | None = None
    summary: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    """What else an annotation says than the rule, where that has a value in it."""


def ages(camera: str, young: str, old: str) -> dict[str, str]:
    """Results of a camera: so many under 0.5 s, and so many under 1 s."""
    bucket = f'maskstream_result_age_seconds_bucket{{namespace="site", camera="{camera}", le='
    return {f'{bucket}"0.5"}}': young, f'{bucket}"1.0"}}': old, f'{bucket}"+Inf"}}': old}


def live(camera: str) -> dict[str, str]:
    name = f'maskstream_camera_condition{{namespace="site", camera="{camera}", condition="lost"}}'
    return {name: "0x80"}


def batches(fast: str, slow: str) -> dict[str, str]:
    bucket = 'maskstream_batch_service_seconds_bucket{namespace="site", le='
    return {f'{bucket}"0.5"}}': fast, f'{bucket}"1.0"}}': slow, f'{bucket}"+Inf"}}': slow}


def memory(used: int) -> dict[str, str]:
    gpu = '{namespace="site", pod="segment-0", gpu="0"}'
    used_name = f"maskstream_gpu_memory_used_bytes{gpu}"
    return {used_name: f"{used}x80", f"maskstream_gpu_memory_bytes{gpu}": "100x80"}


def frames(results: int, **gaps: int) -> dict[str, str]:
    """So many more every step, in one process; ``overflow`` is told by ingest.

    As each is there at 0 before the first, all the others are.
    """
    counted = {'maskstream_results_total{namespace="site", camera="hall"}': results}
    for reason in get_args(GapReason):
        place = f'{{namespace="site", camera="hall", reason="{reason}"}}'
        dropped, count = reason == "overflow", gaps.get(reason, 0)
        counted[f"maskstream_frames_dropped_total{place}"] = count if dropped else 0
        counted[f"maskstream_gaps_total{place}"] = 0 if dropped else count
    return {name: f"0+{count}x80" for name, count in counted.items()}


def lag(values: str) -> dict[str, str]:
    place = '{namespace="site", pod="watch-0", topic="masks", partition="3"}'
    return {f"maskstream_lag_records{place}": values}


def state(**values: str) -> dict[str, str]:
    place = '{namespace="site", pod="ingest-0", camera="hall", state='
    return {f'maskstream_camera_state{place}"{name}"}}': each for name, each in values.items()}


def runs(role: str, values: str, pod: str = "") -> dict[str, str]:
    place = f'{{namespace="site", pod="{pod or role}-0", role="{role}"}}'
    return {f"maskstream_build_info{place}": values}


def restarts(pod: str, values: str) -> dict[str, str]:
    place = f'{{namespace="site", pod="{pod}-0", container="main"}}'
    return {f"kube_pod_container_status_restarts_total{place}": values}


def began(pod: str, values: str) -> dict[str, str]:
    return {f'process_start_time_seconds{{namespace="site", pod="{pod}-0"}}': values}


def endpoint(metric: str, values: str, name: str = "ops") -> dict[str, str]:
    return {f'maskstream_{metric}{{namespace="site", pod="notify-0", endpoint="{name}"}}': values}


def missing(values: str) -> dict[str, str]:
    place = '{namespace="site", pod="watch-0", camera="hall"}'
    return {f"maskstream_frames_missing_total{place}": values}


def replicas(now: int, most: int, name: str = "keda-hpa-segment") -> dict[str, str]:
    place = f'{{namespace="site", horizontalpodautoscaler="{name}"}}'
    return {
        f"kube_horizontalpodautoscaler_status_current_replicas{place}": f"{now}x80",
        f"kube_horizontalpodautoscaler_spec_max_replicas{place}": f"{most}x80",
        **runs("segment", "1x80"),
    }


SITE = {"namespace": "site"}
HALL = {**SITE, "camera": "hall"}
OPS = {**SITE, "endpoint": "ops"}
GPU = {**SITE, "pod": "segment-0", "gpu": "0"}
MASKS = {**SITE, "topic": "masks"}

CASES = (
    Case("most results are old", "MaskstreamLatencyHigh",
         ages("hall", "0+1x80", "0+10x80"), labels=SITE,
         summary="Live results of site are 994.4ms old"),
    Case("results are young", "MaskstreamLatencyHigh", ages("hall", "0+10x80", "0+10x80")),
    Case("batches are slow", "MaskstreamInferenceSlow", batches("0+1x80", "0+10x80"), labels=SITE,
         summary="The model of site takes 994.4ms for a batch"),
    Case("batches are fast", "MaskstreamInferenceSlow", batches("0+10x80", "0+10x80")),
    Case("a card is full", "MaskstreamGpuMemoryHigh", memory(95), labels=GPU,
         summary="GPU 0 of segment-0 has 95% of its memory in use"),
    Case("a card is full for a moment", "MaskstreamGpuMemoryHigh", memory(95), after="4m"),
    Case("a card is nearly full", "MaskstreamGpuMemoryHigh", memory(90)),
    Case("one frame in ten is a dead letter", "MaskstreamErrorRateHigh",
         frames(9, dead_letter=1), labels=SITE,
         summary="10% of the frames of site cannot be handled"),
    Case("nothing but dead letters", "MaskstreamErrorRateHigh",
         frames(0, dead_letter=1), labels=SITE,
         summary="100% of the frames of site cannot be handled"),
    Case("late frames are no errors", "MaskstreamErrorRateHigh", frames(9, stale=5)),
    Case("one frame in thirty is a dead letter", "MaskstreamErrorRateHigh",
         frames(29, dead_letter=1)),
    Case("a camera is in quarantine", "MaskstreamCameraQuarantined",
         frames(9, quarantined=1), labels=HALL,
         summary="Camera hall of site sends what cannot be decoded"),
    Case("a camera has a few dead letters", "MaskstreamCameraQuarantined",
         frames(99, dead_letter=1)),
    Case("one frame in fifty is late", "MaskstreamFramesSkipped", frames(49, stale=1), labels=SITE,
         summary="2% of the frames of site are skipped"),
    Case("one frame in fifty is not sent", "MaskstreamFramesSkipped",
         frames(49, overflow=1), labels=SITE,
         summary="2% of the frames of site are skipped"),
    Case("one frame in two hundred is late", "MaskstreamFramesSkipped", frames(199, stale=1)),
    Case("dead letters are not skipped", "MaskstreamFramesSkipped", frames(9, dead_letter=1)),
    Case("more comes than is read", "MaskstreamLagGrowing", lag("0+10x80"), after="20m",
         labels=MASKS, summary="The lag of masks of site grows",
         told={"description": "More records come than are read: now 140 more wait than ten minutes "
                              "ago, and it rises still."}),
    Case("a lag goes up and down", "MaskstreamLagGrowing", lag("0 90 " * 40), after="20m"),
    Case("a lag falls after an outage", "MaskstreamLagGrowing", lag("0x20 2000-10x60"),
         after="20m"),
    Case("a lag that stays", "MaskstreamLagGrowing", lag("500x80"), after="20m"),
    Case("a camera is away", "MaskstreamCameraLost",
         state(live="0x80", lost="1x80", failed="0x80"), after="2m", labels=HALL,
         summary="Camera hall of site is lost"),
    Case("a camera cannot be tried", "MaskstreamCameraLost",
         state(live="0x80", lost="0x80", failed="1x80"), after="2m", labels=HALL,
         summary="Camera hall of site is lost"),
    Case("a camera was away for half a minute", "MaskstreamCameraLost",
         state(live="1 0 1x80", lost="0 1 0x80"), after="2m"),
    Case("another process has the camera now", "MaskstreamCameraLost",
         state(lost="1x2 stale", live="0x2 1x80"), after="3m"),
    Case("a container was started again", "MaskstreamPodRestarting",
         {**restarts("segment", "0x5 1x80"), **runs("segment", "1x80")},
         labels={**SITE, "pod": "segment-0"}, summary="segment-0 of site was started again"),
    Case("a process was, without kube-state-metrics", "MaskstreamPodRestarting",
         {**began("segment", "100x5 250x80"), **runs("segment", "1x80")},
         labels={**SITE, "pod": "segment-0"}, summary="segment-0 of site was started again"),
    Case("somebody else's container was", "MaskstreamPodRestarting",
         {**restarts("grafana", "0x5 1x80"), **runs("segment", "1x80")}),
    Case("a container was, long ago", "MaskstreamPodRestarting",
         {**restarts("segment", "0x5 1x80"), **runs("segment", "1x80")}, after="30m"),
    Case("the last watch is gone", "MaskstreamRoleDown",
         {**runs("watch", "1x10 stale"), **runs("segment", "1x80")},
         labels={**SITE, "role": "watch"}, summary="No watch runs in site"),
    Case("the last ingest of live cameras is gone", "MaskstreamRoleDown",
         {**runs("ingest", "1x10 stale"), **live("hall")},
         labels={**SITE, "role": "ingest"}, summary="No ingest runs in site"),
    Case("an ingest of files has ended", "MaskstreamRoleDown", runs("ingest", "1x10 stale")),
    Case("one of two is gone", "MaskstreamRoleDown",
         {**runs("watch", "1x10 stale"), **runs("watch", "1x80", pod="watch-b")}),
    Case("an alert waits", "MaskstreamAlertUndelivered",
         endpoint("deliveries_oldest_seconds", "0+30x80"), labels=OPS,
         summary="ops of site has not taken an alert for 10m 0s"),
    Case("an alert waited", "MaskstreamAlertUndelivered",
         endpoint("deliveries_oldest_seconds", "0+30x10 0x80")),
    Case("a clip waits for its store", "MaskstreamAlertUndelivered",
         endpoint("deliveries_oldest_seconds", "0+30x80", CLIPS)),
    Case("an endpoint is gone", "MaskstreamEndpointGone", endpoint("endpoint_gone", "0 1x80"),
         labels=OPS, summary="ops of site answered 410: it gets no alerts any more"),
    Case("an endpoint is there", "MaskstreamEndpointGone", endpoint("endpoint_gone", "0x80")),
    Case("frames are missing from the first count on", "MaskstreamFramesMissing",
         missing("_x10 3x80"), labels=HALL,
         summary="3 frames of hall of site are unaccounted for"),
    Case("none is missing", "MaskstreamFramesMissing", missing("0x80")),
    Case("some were, and were told of long ago", "MaskstreamFramesMissing",
         missing("3x80"), after="30m"),
    Case("an autoscaler is at its end", "MaskstreamAtMaxReplicas", replicas(8, 8), after="12m",
         labels={**SITE, "horizontalpodautoscaler": "keda-hpa-segment"},
         summary="keda-hpa-segment of site has all the replicas that it may have"),
    Case("an autoscaler has room", "MaskstreamAtMaxReplicas", replicas(7, 8), after="12m"),
    Case("somebody else's autoscaler", "MaskstreamAtMaxReplicas",
         replicas(8, 8, "grafana"), after="12m"),
)  # fmt: skip


def as_promtool(case: Case) -> dict[str, Any]:
    rule = RULE[case.alarm]
    expected = []
    if case.labels is not None:
        told = {**rule["annotations"], "summary": case.summary, **case.told}
        expected = [{"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": told}]
    return {
        "name": f"{case.alarm}: {case.name}",
        "interval": STEP,
        "input_series": [{"series": k, "values": v} for k, v in case.series.items()],
        "alert_rule_test": [
            {"eval_time": case.after, "alertname": case.alarm, "exp_alerts": expected}
        ],
    }


def test_every_alarm_fires_in_one_case_and_is_silent_in_another() -> None:
    fires = {case.alarm for case in CASES if case.labels is not None}
    silent = {case.alarm for case in CASES if case.labels is None}
    assert fires == silent == RULE.keys()


def promtool(*words: str) -> str:
    require_prometheus()
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_promtool_finds_nothing_wrong_with_the_rules() -> None:
    assert promtool("check", "rules", *(str(path) for path in RULES.glob("*.yaml"))) == ""


def test_prometheus_reads_the_example_of_the_readme(tmp_path: Path) -> None:
    text = (RULES.parent / "README.md").read_text()
    example = text.partition("```yaml\n# prometheus.yml\n")[2].partition("```")[0]
    path = tmp_path / "prometheus.yml"
    path.write_text(example.replace("/etc/prometheus/maskstream", str(RULES)))
    assert promtool("check", "config", str(path)) == ""


def test_alarms_fire_when_they_should_and_not_else(tmp_path: Path) -> None:
    check(CASES, tmp_path)


async def test_the_age_of_a_files_frames_never_fires_the_alarm_of_latency(tmp_path: Path) -> None:
    """As `segment` itself tells of frames, by the same work: those of a live camera do."""
    alarm = "MaskstreamLatencyHigh"
    late = Case("a live camera", alarm, await told("live", 0.7), labels=SITE,
                summary="Live results of site are 747.5ms old")  # fmt: skip
    check([Case("a file waits for its turn", alarm, await told("archive", 3600.0)), late], tmp_path)


async def told(mode: Mode, age_s: float) -> dict[str, str]:
    """What `segment` tells of frames that came to ingest so long ago: as much again each step."""
    bench, topic = Bench(), "frames" if mode == "live" else "frames-archive"
    came_us = bench.clock.now_us() - round(age_s * 1e6)
    await bench.masks(*(frame(seq, mode=mode, time_us=came_us) for seq in range(10)), topic=topic)
    assert bench.count("results", camera="hall") == 10
    samples = [each for family in bench.metrics.registry.collect() for each in family.samples]
    return {
        f"{name}{_labels(labels)}": f"0+{value:g}x80"
        for name, labels, value, *_ in samples
        if name.endswith(("_bucket", "_count", "_sum", "_total"))
    }


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{k}="{v}"' for k, v in {**SITE, **labels}.items()) + "}"


def check(cases: Iterable[Case], folder: Path) -> None:
    """Have promtool go through the cases."""
    path = folder / "cases.yaml"
    document = {
        "rule_files": [str(RULES / "*.yaml")],
        "evaluation_interval": STEP,
        "tests": [as_promtool(case) for case in cases],
    }
    path.write_text(json.dumps(document))
    if wrong := promtool("test", "rules", str(path)):
        pytest.fail(wrong)
