"""``kind: health``: a camera is in trouble for a time."""

from typing import Literal, get_args

from msgspec import Struct, structs
from pydantic import ConfigDict, Field

from stream.rule_spec import RuleSpec
from stream.rules.life import UPDATE_US, changed, opened_of_health
from stream.rules.sighting import within_us
from stream.rules.trouble import Troubles, any_of
from stream.specs import Duration, Id
from stream.types import Alert, CameraHealth, Condition, Result


class Health(RuleSpec):
    """Opens when one of ``conditions`` holds for a time."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: Literal["health"] = "health"
    camera: Id | None = Field(None, description="the camera it watches; null: every camera")
    conditions: tuple[Condition, ...] = Field(
        min_length=1, description="what it looks for: " + ", ".join(get_args(Condition))
    )
    lasting: Duration = Field(10.0, ge=0, alias="for", description="how long before an alert opens")
    resolve: Duration = Field(
        5.0, ge=0, description="none of them for so long, an alert resolves; less is no end"
    )


class HealthState(Struct, frozen=True, tag="health"):
    """Where a health rule stands: since when there is trouble, and since when it is over.

    ``alert`` is the open episode as last told.
    """

    since_us: int | None = None
    over_us: int | None = None
    alert: Alert | None = None
    ended_us: int | None = None


def evaluate_health(
    rule: Health, state: HealthState, troubles: Troubles, message: Result | CameraHealth
) -> tuple[HealthState, tuple[Alert, ...]]:
    """What the time of ``message`` does to the rule, where these are the camera's ``troubles``.

    A trouble that nobody has told of lately is unknown: it neither opens an alert nor lets one
    resolve. Where time went back, it counts from where it is now.
    """
    mine = {name: troubles[name] for name in sorted(rule.conditions) if name in troubles}
    if not mine:
        return _over(rule, state, message)
    began_us = min(each.since_us for each in mine.values())
    since_us = began_us if state.since_us is None else min(began_us, state.since_us)
    state = structs.replace(state, since_us=since_us, over_us=None)
    names = tuple(str(name) for name in mine)
    detail = "; ".join(f"{name}: {mine[name].detail}" for name in mine)
    if state.alert is not None:
        return _continued(state, state.alert, message, names, detail)
    if (
        message.time_us - since_us < rule.lasting * 1e6
        or not any_of(mine, rule.conditions, message.time_us)
        or within_us(state.ended_us, message.time_us, rule.cooldown * 1e6)
    ):
        return state, ()
    alert = opened_of_health(rule, message, names, detail)
    return structs.replace(state, alert=alert), (alert,)


def _continued(
    state: HealthState,
    alert: Alert,
    message: Result | CameraHealth,
    names: tuple[str, ...],
    detail: str,
) -> tuple[HealthState, tuple[Alert, ...]]:
    """Tell of a condition that joined."""
    labels = tuple(sorted({*alert.labels, *names}))
    if labels == alert.labels or within_us(alert.time_us, message.time_us, UPDATE_US):
        return state, ()
    alert = changed(alert, "updated", message.time_us, labels=labels, detail=detail)
    return structs.replace(state, alert=alert), (alert,)


def _over(
    rule: Health, state: HealthState, message: Result | CameraHealth
) -> tuple[HealthState, tuple[Alert, ...]]:
    if state.since_us is None:
        return state, ()
    now_us = message.time_us
    over_us = now_us if state.over_us is None else min(now_us, state.over_us)
    if now_us - over_us < rule.resolve * 1e6:
        return structs.replace(state, over_us=over_us), ()
    if state.alert is None:
        return HealthState(ended_us=state.ended_us), ()
    alert = changed(state.alert, "resolved", message.time_us)
    return HealthState(ended_us=message.time_us), (alert,)
