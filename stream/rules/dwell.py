"""``kind: dwell``: the same identity stays in the zone for a time."""

from typing import Literal

from msgspec import Struct, structs
from pydantic import Field

from stream.masks import Mask
from stream.rules.life import changed, opened
from stream.rules.sighting import (
    Look,
    Sighting,
    by_instance,
    evidence,
    known_us,
    sightings,
    within_us,
)
from stream.specs import Duration, SightingRuleSpec
from stream.types import Alert, Result, Track


class Dwell(SightingRuleSpec):
    """Opens for each identity that stays in the zone for ``duration``."""

    kind: Literal["dwell"] = "dwell"
    duration: Duration = Field(gt=0, description="how long the same identity stays in the zone")
    resolve: Duration = Field(
        2.0, ge=0, description="away for so long, an identity has left; a shorter absence is none"
    )


class Stay(Struct, frozen=True):
    """One identity in the zone: known time since it came, and since it was last seen there.

    ``alert`` is its open episode.
    """

    stayed_us: int = 0
    away_us: int = 0
    alert: Alert | None = None


class DwellState(Struct, frozen=True, tag="dwell"):
    """Where a dwell rule stands: who is in the zone, by identity."""

    last: Look | None = None
    stays: dict[str, Stay] = {}
    ended_us: int | None = None


def evaluate_dwell(
    rule: Dwell,
    zone: Mask | None,
    state: DwellState,
    result: Result,
    tracks: tuple[Track, ...],
) -> tuple[DwellState, tuple[Alert, ...]]:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    track_of = by_instance(tracks)
    here = {
        track_of[one.instance].id: one
        for one in sightings(rule, zone, result)
        if one.instance in track_of
    }
    state, left = _leave(rule, state, result, here)
    stays, alerts = dict(state.stays), list(left)
    cooling = within_us(state.ended_us, result.time_us, rule.cooldown * 1e6)
    for identity, sighting in here.items():
        stay = stays.get(identity, Stay())
        if stay.alert is None and stay.stayed_us >= rule.duration * 1e6 and not cooling:
            label = result.instances[sighting.instance].label
            seen = evidence(result, [sighting])
            alert = opened(rule, rule.kind, result, (identity,), (label,), seen)
            stay = structs.replace(stay, alert=alert)
            alerts.append(alert)
        stays[identity] = stay
    return structs.replace(state, last=Look.at(result), stays=stays), tuple(alerts)


def _leave(
    rule: Dwell, state: DwellState, result: Result, here: dict[str, Sighting]
) -> tuple[DwellState, list[Alert]]:
    """Let time pass for all in the zone; who is away for long enough leaves it."""
    passed_us = known_us(state.last, result)
    stays: dict[str, Stay] = {}
    alerts = []
    ended_us = state.ended_us
    for identity, stay in state.stays.items():
        away_us = stay.away_us + passed_us
        if identity in here:
            stays[identity] = structs.replace(stay, stayed_us=stay.stayed_us + away_us, away_us=0)
        elif away_us < rule.resolve * 1e6:
            stays[identity] = structs.replace(stay, away_us=away_us)
        elif stay.alert is not None:
            alerts.append(changed(stay.alert, "resolved", result.time_us))
            ended_us = result.time_us
    return structs.replace(state, stays=stays, ended_us=ended_us), alerts
