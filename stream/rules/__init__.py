"""Rules on exact masks and on health: pure functions from a message to the next state, and alerts.

One file a kind. `sighting` has what kinds ask of a result, `episode` how those with one open
alert at a time go on from result to result, `line` who crosses one, `trouble` what is known of a
camera's health, `schedule` when a rule is awake, `life` how an alert is told of. Event time alone
decides; a gap is no result, so no rule ever sees one: it is unknown, and neither resolves an alert
nor brings one nearer.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from stream.masks import Mask
from stream.rules.absence import Absence, evaluate_absence
from stream.rules.contact import Contact, evaluate_contact
from stream.rules.count import Occupancy, evaluate_count
from stream.rules.coverage import Coverage, evaluate_coverage
from stream.rules.crossing import Crossing, CrossingState, evaluate_crossing
from stream.rules.dwell import Dwell, DwellState, evaluate_dwell
from stream.rules.episode import EpisodeState
from stream.rules.health import Health, HealthState, evaluate_health
from stream.rules.presence import Presence, evaluate_presence
from stream.rules.schedule import is_awake
from stream.rules.sighting import version
from stream.rules.trouble import Troubles
from stream.types import Alert, CameraHealth, Result, Track

__all__ = [
    "Absence",
    "AnyRule",
    "Contact",
    "Coverage",
    "Crossing",
    "CrossingState",
    "Dwell",
    "DwellState",
    "EpisodeState",
    "Health",
    "HealthState",
    "Occupancy",
    "Presence",
    "Rule",
    "RuleState",
    "SightingRule",
    "evaluate",
    "is_awake",
    "judge_health",
    "open_alerts",
    "version",
]

SightingRule = Presence | Dwell | Occupancy | Absence | Coverage | Crossing | Contact
AnyRule = SightingRule | Health
Rule = Annotated[AnyRule, Field(discriminator="kind")]
RuleState = EpisodeState | DwellState | CrossingState | HealthState

_EVALUATE: dict[type, tuple[type[RuleState], Callable[..., Any]]] = {
    Presence: (EpisodeState, evaluate_presence),
    Dwell: (DwellState, evaluate_dwell),
    Occupancy: (EpisodeState, evaluate_count),
    Absence: (EpisodeState, evaluate_absence),
    Coverage: (EpisodeState, evaluate_coverage),
    Crossing: (CrossingState, evaluate_crossing),
    Contact: (EpisodeState, evaluate_contact),
}


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
    kind, judge = _EVALUATE[type(rule)]
    if not isinstance(state, kind | None):
        raise TypeError(f"rule {rule.id} is {rule.kind}; its state is {type(state).__name__}")
    after: tuple[RuleState, tuple[Alert, ...]] = judge(rule, zone, state or kind(), result, tracks)
    return after


def judge_health(
    rule: Health, state: RuleState | None, troubles: Troubles, message: Result | CameraHealth
) -> tuple[RuleState, tuple[Alert, ...]]:
    """As `evaluate`, for a rule on the camera's ``troubles``; ``message`` says how late it is."""
    if not isinstance(state, HealthState | None):
        raise TypeError(f"rule {rule.id} is {rule.kind}; its state is {type(state).__name__}")
    return evaluate_health(rule, state or HealthState(), troubles, message)


def open_alerts(state: RuleState) -> tuple[Alert, ...]:
    """The episodes that are open, as last told."""
    if isinstance(state, CrossingState):
        state = state.episode
    if isinstance(state, EpisodeState | HealthState):
        return () if state.alert is None else (state.alert,)
    return tuple(stay.alert for stay in state.stays.values() if stay.alert is not None)
