"""Rules on exact masks: pure functions from one result to the next state, and to alerts.

One file a kind. `sighting` has what all kinds ask of a result, `life` how an alert lives. Event
time alone decides; a gap is no result, so no rule ever sees one: it is unknown, and neither
resolves an alert nor brings one nearer.
"""

from typing import Annotated

from pydantic import Field

from stream.masks import Mask
from stream.rules.dwell import Dwell, DwellState, evaluate_dwell
from stream.rules.presence import Presence, PresenceState, evaluate_presence
from stream.rules.sighting import version
from stream.types import Alert, Result, Track

__all__ = [
    "Dwell",
    "DwellState",
    "Presence",
    "PresenceState",
    "Rule",
    "RuleState",
    "evaluate",
    "open_alerts",
    "version",
]

Rule = Annotated[Presence | Dwell, Field(discriminator="kind")]
RuleState = PresenceState | DwellState


def evaluate(
    rule: Presence | Dwell,
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


def open_alerts(state: RuleState) -> tuple[Alert, ...]:
    """The episodes that are open, as last told."""
    if isinstance(state, PresenceState):
        return () if state.alert is None else (state.alert,)
    return tuple(stay.alert for stay in state.stays.values() if stay.alert is not None)
