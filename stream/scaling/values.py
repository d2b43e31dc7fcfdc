"""What the chart's values say of scaling ``segment``; the rest of them is passed over."""

import re
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic.alias_generators import to_camel

from stream.errors import ConfigError
from stream.scaling.day import HOUR_S, MINUTE_S
from stream.scaling.policy import DEFAULT, Direction, Forecast, Policy, Schedule, Step
from stream.specs import Count, Duration, Number, Switch

_DAILY = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* \S+")


def _second(expression: str) -> int:
    found = _DAILY.fullmatch(expression)
    if found is None or int(found[1]) > 59 or int(found[2]) > 23:
        raise ValueError(f"given {expression!r}; a replay knows MINUTE HOUR * * DAYS alone")
    return int(found[1]) * MINUTE_S + int(found[2]) * HOUR_S


_Daily = Annotated[str, AfterValidator(lambda text: str(_second(text)))]


class _Part(BaseModel, alias_generator=to_camel):
    """Keys as the chart has them; what else is there is passed over."""


class _Cron(_Part):
    start: _Daily
    end: _Daily
    desired_replicas: Count = Field(ge=1)


class _Predict(_Part):
    enabled: Switch = False
    window: Duration = Field(900.0, ge=60)
    ahead: Duration = Field(300.0, ge=0)


class _Own(_Part):
    min_replicas: Count = Field(DEFAULT.least, ge=1)
    max_replicas: Count = Field(DEFAULT.most, ge=1)
    target_load: Number = Field(DEFAULT.load, gt=0, le=1)
    rate_window: Duration = Field(DEFAULT.rate_window_s, ge=1)
    predict: _Predict = _Predict()
    cron: tuple[_Cron, ...] = ()


class _Segment(_Part):
    scaling: _Own = _Own()


class _Down(_Part):
    stabilization: Count = Field(DEFAULT.down.window_s, ge=0, le=3600)
    period: Count = Field(DEFAULT.down.steps[0].period_s, ge=1, le=1800)


class _Up(_Part):
    pods: Count = Field(DEFAULT.up.steps[1].value, ge=1)


class _Scaling(_Part):
    scale_down: _Down = _Down()
    scale_up: _Up = _Up()


class _ServiceMonitors(_Part):
    interval: Duration = Field(DEFAULT.scrape_s, ge=1)


class _Monitoring(_Part):
    service_monitors: _ServiceMonitors = _ServiceMonitors()


class _Values(_Part):
    segment: _Segment = _Segment()
    scaling: _Scaling = _Scaling()
    monitoring: _Monitoring = _Monitoring()


def policy_of(text: str, place: str) -> Policy:
    """The policy that values of the chart (YAML) come to; what they leave out is the chart's.

    Raises `ConfigError` that names ``place`` and the value.
    """
    try:
        values = _Values.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise ConfigError(f"{place}: not YAML: {error}") from None
    except ValidationError as error:
        raise ConfigError("\n".join(f"{place}: {_told(each)}" for each in error.errors())) from None
    own, both = values.segment.scaling, values.scaling
    if own.min_replicas > own.max_replicas:
        raise ConfigError(
            f"{place}: segment.scaling.minReplicas: given {own.min_replicas}; at most maxReplicas, "
            f"{own.max_replicas}"
        )
    predict = Forecast(round(own.predict.window), round(own.predict.ahead))
    return Policy(
        own.min_replicas,
        own.max_replicas,
        own.target_load,
        round(own.rate_window),
        round(values.monitoring.service_monitors.interval),
        DEFAULT.lag_share,
        Direction(DEFAULT.up.window_s, (DEFAULT.up.steps[0], Step("Pods", both.scale_up.pods, 15))),
        Direction(both.scale_down.stabilization, (Step("Pods", 1, both.scale_down.period),)),
        predict if own.predict.enabled else None,
        tuple(Schedule(int(each.start), int(each.end), each.desired_replicas) for each in own.cron),
    )


def _told(error: Any) -> str:
    return f"{'.'.join(map(str, error['loc']))}: given {error['input']!r}; {error['msg']}"
