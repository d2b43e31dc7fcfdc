"""Each alarm on recorded samples, with Prometheus' own promtool: when it fires and when not."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stream.declared import PREFIX, SHADOW
from stream.types import Mode
from tests.support.alarms.case import RULE, Case, check, promtool
from tests.support.alarms.of_alerts import ALERTS
from tests.support.alarms.of_cameras import CAMERAS
from tests.support.alarms.of_frames import FRAMES
from tests.support.alarms.of_processes import PROCESSES
from tests.support.alarms.of_recordings import SUMS
from tests.support.alarms.samples import SITE
from tests.support.build import frame
from tests.support.rules import RULES
from tests.support.segmenting import Bench

CASES = (*FRAMES, *CAMERAS, *ALERTS, *PROCESSES)


def test_every_alarm_fires_in_one_case_and_is_silent_in_another() -> None:
    fires = {case.alarm for case in CASES if case.labels is not None}
    silent = {case.alarm for case in CASES if case.labels is None}
    assert fires == silent == RULE.keys()


def test_nothing_that_a_shadow_tells_fires_an_alarm(tmp_path: Path) -> None:
    """What fires an alarm, told by the shadow of a site in place of its pipeline, fires none."""
    fires = {case.alarm: case for case in CASES if case.labels is not None and case.step == "30s"}
    assert fires.keys() == RULE.keys()
    assert check([shadowed(case) for case in fires.values()], tmp_path) == ""


def shadowed(case: Case) -> Case:
    """The same samples, as a shadow calls them."""
    series = {name.replace(PREFIX, SHADOW): values for name, values in case.series.items()}
    return replace(case, name=f"a shadow: {case.name}", series=series, labels=None, last="")


def test_promtool_finds_nothing_wrong_with_the_rules() -> None:
    assert promtool("check", "rules", *(str(path) for path in RULES.glob("*.yaml"))) == ""


def test_prometheus_reads_the_example_of_the_readme(tmp_path: Path) -> None:
    text = (RULES.parent / "README.md").read_text()
    example = text.partition("```yaml\n# prometheus.yml\n")[2].partition("```")[0]
    path = tmp_path / "prometheus.yml"
    path.write_text(example.replace("/etc/prometheus/maskstream", str(RULES)))
    assert promtool("check", "config", str(path)) == ""


def test_alarms_fire_when_they_should_and_not_else(tmp_path: Path) -> None:
    assert check((*CASES, *SUMS), tmp_path) == ""


async def test_the_age_of_a_files_frames_never_fires_the_alarm_of_latency(tmp_path: Path) -> None:
    """As `segment` itself tells of frames, by the same work: those of a live camera do."""
    alarm = "MaskstreamLatencyHigh"
    late = Case("a live camera", alarm, await told("live", 0.7), after="2m30s", labels=SITE,
                summary="Live results of site are 747.5ms old")  # fmt: skip
    file = Case("a file waits for its turn", alarm, await told("archive", 3600.0))
    assert check([file, late], tmp_path) == ""


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
