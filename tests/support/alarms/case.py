"""When an alarm fires on samples, and when not: as promtool is asked."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from tests.support.prometheus import require_prometheus
from tests.support.rules import RULES, alarms, groups

RULE = {each["alert"]: each for each in alarms()}
_UNITS = {"h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True)
class Case:
    """Samples in promtool's notation, and what an alarm makes of them.

    ``labels`` are those of the one alert that fires, for the first time ``after`` so long; None:
    none does until then. Where it is silent again that is after ``last``, when it fires still.
    """

    name: str
    alarm: str
    series: Mapping[str, str]
    after: str = "6m"
    labels: Mapping[str, str] | None = None
    summary: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    """What else an annotation says than the rule, where that has a value in it."""
    last: str = ""
    step: str = "30s"
    """How far samples, and times at which rules are asked, are apart."""

    def tests(self) -> Iterator[dict[str, Any]]:
        """Every time until it fires, and those around the last at which it does."""
        step_s, after_s = seconds(self.step), seconds(self.after)
        quiet = range(0, after_s if self.labels is not None else after_s + 1, step_s)
        yield from (self._test(time_s, fires=False) for time_s in quiet)
        if self.labels is not None:
            yield self._test(after_s, fires=True)
        if self.last:
            yield self._test(seconds(self.last), fires=True)
            yield self._test(seconds(self.last) + step_s, fires=False)

    def _test(self, time_s: int, *, fires: bool) -> dict[str, Any]:
        rule = RULE[self.alarm]
        told = {**rule["annotations"], "summary": self.summary, **self.told}
        labels = {**rule["labels"], **(self.labels or {})}
        expected = [{"exp_labels": labels, "exp_annotations": told}] if fires else []
        return {"eval_time": f"{time_s}s", "alertname": self.alarm, "exp_alerts": expected}


@dataclass(frozen=True)
class Sum:
    """What a query of a recording gives after ten minutes: the value of its one series, or None."""

    name: str
    query: str
    series: Mapping[str, str]
    value: float | None
    step: str = "30s"


def seconds(duration: str) -> int:
    """Of a duration as Prometheus writes it, such as ``2m30s``."""
    return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)([hms])", duration))


def promtool(*words: str) -> str:
    """What it finds wrong."""
    require_prometheus()
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def written(cases: Iterable[Case | Sum], folder: Path, rules: Path = RULES) -> Sequence[Path]:
    """The cases for promtool: a file for each step, as rules of a file are asked at one pace."""
    paths = []
    for step, alike in groupby(sorted(cases, key=attrgetter("step")), attrgetter("step")):
        paths.append(folder / f"cases-{step}.yaml")
        document = {
            "rule_files": [str(rules / "*.yaml")],
            "evaluation_interval": step,
            "group_eval_order": [*groups()],  # or it is another each time
            "tests": [_document(each) for each in alike],
        }
        paths[-1].write_text(json.dumps(document))
    return paths


def check(cases: Iterable[Case | Sum], folder: Path) -> str:
    """What promtool finds wrong with the cases, in one go."""
    return promtool("test", "rules", *map(str, written(cases, folder)))


def _document(case: Case | Sum) -> dict[str, Any]:
    series = [{"series": name, "values": values} for name, values in case.series.items()]
    document: dict[str, Any] = {"interval": case.step, "input_series": series}
    if isinstance(case, Case):
        name = f"{case.alarm}: {case.name}"
        return {**document, "name": name, "alert_rule_test": [*case.tests()]}
    found = [] if case.value is None else [{"labels": "{}", "value": case.value}]
    asked = {"expr": case.query, "eval_time": "10m", "exp_samples": found}
    return {**document, "name": case.name, "promql_expr_test": [asked]}
