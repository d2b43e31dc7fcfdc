"""The replay scales by what the chart has: paper, replay and chart do not drift apart."""

import re
from pathlib import Path

import pytest

from stream.errors import ConfigError
from stream.scaling.policy import DEFAULT, Direction, Forecast, Schedule, Step
from stream.scaling.values import policy_of

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "maskstream"


def template(name: str) -> str:
    return (CHART / "templates" / name).read_text()


def test_the_defaults_are_those_of_the_chart() -> None:
    assert policy_of((CHART / "values.yaml").read_text(), "values.yaml") == DEFAULT


def test_the_formula_is_that_of_the_chart() -> None:
    """What it asks for is offered / (load x capacity), rounded up, and lag by 0.75 of max_age."""
    query = "".join(template("_queries.tpl").split())
    assert 'define"maskstream.segmentReplicas"-}}ceil(({{include"maskstream.offered"' in query
    assert (
        '/({{.root.Values.segment.scaling.targetLoad}}*{{include"maskstream.capacity".}}))' in query
    )
    (lag,) = re.findall(
        r"\$lag := mulf (\S+) \$maxAge \$segment\.capacity", template("scaling.yaml")
    )
    assert float(lag) == DEFAULT.lag_share


def test_the_behaviour_is_that_of_the_chart() -> None:
    """What the chart has as a constant, and not as a value."""
    up = re.search(
        r"scaleUp:\s+stabilizationWindowSeconds: (\d+)\s+selectPolicy: Max\s+policies:\s+"
        r"- \{type: Percent, value: (\d+), periodSeconds: (\d+)\}\s+"
        r"- \{type: Pods, value: \{\{ \$scaling\.scaleUp\.pods \}\}, periodSeconds: (\d+)\}",
        template("_scaling.tpl"),
    )
    down = re.search(
        r"- \{type: Pods, value: (\d+), periodSeconds: \{\{ \$scaling\.scaleDown\.period \}\}\}",
        template("_scaling.tpl"),
    )
    assert up is not None
    assert down is not None
    window_s, percent, percent_s, pods_s = map(int, up.groups())
    pods = Step("Pods", DEFAULT.up.steps[1].value, pods_s)
    assert DEFAULT.up == Direction(window_s, (Step("Percent", percent, percent_s), pods))
    assert DEFAULT.down.steps[0].value == int(down[1])


def test_the_forecast_takes_a_rate_as_often_as_the_chart() -> None:
    (every_s,) = re.findall(r"\$predict\.window \}\}:(\d+)s\]", template("_queries.tpl"))
    assert Forecast(900, 300).step_s == int(every_s)


def test_values_of_ones_own_are_taken() -> None:
    text = """
    segment:
      workers: 2
      scaling:
        maxReplicas: 20
        targetLoad: 0.6
        rateWindow: 1m
        predict: {enabled: true, window: 10m, ahead: 2m}
        cron:
          - {timezone: UTC, start: "30 7 * * 1-5", end: "0 19 * * 1-5", desiredReplicas: 4}
    scaling: {scaleDown: {stabilization: 600, period: 60}, scaleUp: {pods: 8}}
    monitoring: {serviceMonitors: {interval: 5s}}
    """
    found = policy_of(text, "values.yaml")
    assert (found.most, found.load, found.rate_window_s, found.scrape_s) == (20, 0.6, 60, 5)
    assert found.forecast == Forecast(600, 120)
    assert found.schedules == (Schedule(27_000, 68_400, 4),)
    assert found.down == Direction(600, (Step("Pods", 1, 60),))
    assert found.up.steps[1] == Step("Pods", 8, 15)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("segment: {scaling: {targetLoad: 2}}", "v.yaml: segment.scaling.targetLoad: given 2"),
        (
            "segment: {scaling: {rateWindow: soon}}",
            "v.yaml: segment.scaling.rateWindow: given 'soon'",
        ),
        (
            "segment: {scaling: {minReplicas: 9}}",
            "v.yaml: segment.scaling.minReplicas: given 9; at mo",
        ),
        (
            'segment: {scaling: {cron: [{start: "* 7 * * *", end: "0 9 * * *", '
            "desiredReplicas: 1}]}}",
            "v.yaml: segment.scaling.cron.0.start: given '* 7 * * *'",
        ),
        ("{", "v.yaml: not YAML"),
        ("- 1", "v.yaml: : given [1]"),
    ],
)
def test_values_that_cannot_be_replayed_are_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        policy_of(text, "v.yaml")
    assert str(refused.value).startswith(said)
