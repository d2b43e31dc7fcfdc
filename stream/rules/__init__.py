"""Rules on exact masks and on health: pure functions from a message to the next state, and alerts.

One file a kind. `sighting` has what kinds ask of a result, `trouble` what is known of a camera's
health, `life` how an alert lives. Event time alone decides; a gap is no result, so no rule ever
sees one: it is unknown, and neither resolves an alert nor brings one nearer.
"""

from typing import Annotated

from pydantic import Field

from stream.masks import Mask
from stream.rules.dwell import Dwell, DwellState, evaluate_dwell
from stream.rules.health import Health, HealthState, evaluate_health
from stream.rules.presence import Presence, PresenceState, evaluate_presence
from stream.rules.sighting import version
from stream.rules.trouble import Troubles
from stream.types import Alert, CameraHealth, Result, Track

__all__ = [
    "AnyRule",
    "Dwell",
    "DwellState",
    "Health",
    "HealthState",
    "Presence",
    "PresenceState",
    "Rule",
    "RuleState",
    "SightingRule",
    "evaluate",
    "judge_health",
    "open_alerts",
    "version",
]

SightingRule = Presence | Dwell
AnyRule = SightingRule | Health
Rule = Annotated[AnyRule, Field(discriminator="kind")]
RuleState = PresenceState | DwellState | HealthState


def evaluate(
    rule: SightingRule,
    zone: Mask | None,
    state: RuleState | None,
    result: Result,
    tracks: tuple[Track, ...],
) -> tuple[RuleState, tuple[Alert, ...]]:
    """What ``result`` does to ``rule``: its next state, and what changed in its alerts.

    ``state`` is what the last call gave, None at first. ``zone`` has the result's size; None is
    the whole frame. ``tracks`` are the identities in ``result``. Results come in order, once each.
    """
    match rule, state:
        case Presence(), PresenceState() | None:
            return evaluate_presence(rule, zone, state or PresenceState(), result, tracks)
        case Dwell(), DwellState() | None:
            return evaluate_dwell(rule, zone, state or DwellState(), result, tracks)
    raise TypeError(f"rule {rule.id} is {rule.kind}; its state is {type(state).__name__}")


def judge_health(
    rule: Health, state: RuleState | None, troubles: Troubles, message: Result | CameraHealth
) -> tuple[RuleState, tuple[Alert, ...]]:
    """As `evaluate`, for a rule on the camera's ``troubles``; ``message`` says how late it is."""
    if not isinstance(state, HealthState | None):
        raise TypeError(f"rule {rule.id} is {rule.kind}; its state is {type(state).__name__}")
    return evaluate_health(rule, state or HealthState(), troubles, message)


def open_alerts(state: RuleState) -> tuple[Alert, ...]:
    """The episodes that are open, as last told."""
    if isinstance(state, PresenceState | HealthState):
        return () if state.alert is None else (state.alert,)
    return tuple(stay.alert for stay in state.stays.values() if stay.alert is not None)
