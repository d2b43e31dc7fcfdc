"""``kind: dwell``: the same identity stays in the zone for a time."""

from collections.abc import Set
from typing import Literal

from msgspec import Struct, structs
from pydantic import Field

from stream.masks import Mask
from stream.rule_spec import SightingRuleSpec
from stream.rules.life import changed, opened
from stream.rules.sighting import (
    Look,
    Sighting,
    counting,
    evidence,
    known_us,
    sightings,
    within_us,
)
from stream.specs import Duration
from stream.tracking import UNSEEN_MAX
from stream.types import Alert, Result, Track

OPEN_MAX = 100
"""Alerts of a rule that are open at once: who stays while there are so many is told once one ends.
It bounds the state of a camera, which has to fit into a record."""


class Dwell(SightingRuleSpec):
    """Opens for each identity that stays in the zone for ``duration``."""

    kind: Literal["dwell"] = "dwell"
    duration: Duration = Field(gt=0, description="how long the same identity stays in the zone")


class Stay(Struct, frozen=True):
    """One identity in the zone: known time since it came, and since it was last seen there.

    ``alert`` is its open episode.
    """

    stayed_us: int = 0
    away_us: int = 0
    alert: Alert | None = None


class DwellState(Struct, frozen=True, tag="dwell"):
    """Where a dwell rule stands: who is in the zone, and who counted when, by identity."""

    last: Look | None = None
    stays: dict[str, Stay] = {}
    counted: dict[str, int] = {}
    ended_us: int | None = None


def evaluate_dwell(
    rule: Dwell,
    zone: Mask | None,
    state: DwellState,
    result: Result,
    tracks: tuple[Track, ...],
) -> tuple[DwellState, tuple[Alert, ...]]:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    seen = sightings(rule, zone, result, tracks, state.counted)
    here = {one.identity: one for one in seen if one.identity is not None}
    state, left = _leave(rule, state, result, here)
    stays, alerts = dict(state.stays), list(left)
    cooling = within_us(state.ended_us, result.time_us, rule.cooldown * 1e6)
    room = OPEN_MAX - sum(stay.alert is not None for stay in stays.values())
    for identity, sighting in here.items():
        stay = stays.get(identity, Stay())
        is_due = stay.alert is None and stay.stayed_us >= rule.duration * 1e6
        if is_due and not cooling and room > 0:
            room -= 1
            label = result.instances[sighting.instance].label
            told = evidence(result, [sighting])
            alert = opened(rule, result, (identity,), (label,), told)
            stay = structs.replace(stay, alert=alert)
            alerts.append(alert)
        stays[identity] = stay
    counted = counting(state.counted, result, seen)
    visible = {track.id for track in tracks}
    stays = _remembered(stays, visible)
    state = structs.replace(state, last=Look.at(result), stays=stays, counted=counted)
    return state, tuple(alerts)


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


def _remembered(stays: dict[str, Stay], visible: Set[str]) -> dict[str, Stay]:
    """The stays of whom tracking may still know, and those with an open alert.

    It knows so many out of sight, the last seen first; with a long ``resolve`` the others would
    be kept in vain.
    """
    unseen = [name for name, stay in stays.items() if stay.alert is None and name not in visible]
    unseen.sort(key=lambda name: stays[name].away_us)
    forgotten = set(unseen[UNSEEN_MAX:])
    return {name: stay for name, stay in stays.items() if name not in forgotten}
