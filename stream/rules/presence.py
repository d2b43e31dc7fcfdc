"""``kind: presence``: somebody is in the zone for N results in a row."""

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
from stream.specs import Count, Duration, SightingRuleSpec
from stream.types import Alert, Result, Track

UPDATE_US = 10_000_000
"""An episode changes no more often than this, so that a busy zone does not flood its receiver."""
TRACKS_MAX = 100
"""Identities that an alert names: more would make its body too long, and nobody reads them."""


class Presence(SightingRuleSpec):
    """Opens when at least one instance counts in ``frames`` consecutive results."""

    kind: Literal["presence"] = "presence"
    frames: Count = Field(
        3, ge=1, le=100_000, description="results in a row that it takes, to open and to resolve"
    )
    resolve: Duration = Field(
        2.0, ge=0, description="nobody counted for so long before an alert resolves"
    )


class PresenceState(Struct, frozen=True, tag="presence"):
    """Where a presence rule stands.

    ``hits`` and ``misses`` count results in a row with and without somebody; ``away_us`` is the
    time of the misses. ``inside`` has, for each identity that is in the zone, its hits in a row.
    ``alert`` is the open episode as last told, ``joined`` who came since.
    """

    last: Look | None = None
    hits: int = 0
    misses: int = 0
    away_us: int = 0
    inside: dict[str, int] = {}
    alert: Alert | None = None
    joined: tuple[str, ...] = ()
    ended_us: int | None = None


def evaluate_presence(
    rule: Presence,
    zone: Mask | None,
    state: PresenceState,
    result: Result,
    tracks: tuple[Track, ...],
) -> tuple[PresenceState, tuple[Alert, ...]]:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    seen = sightings(rule, zone, result)
    if not seen:
        return _without(rule, state, result)
    state = _with(rule, state, result, seen, tracks)
    if state.alert is not None:
        return _continued(state, state.alert, result, seen)
    if state.hits < rule.frames or within_us(state.ended_us, result.time_us, rule.cooldown * 1e6):
        return state, ()
    who = tuple(state.inside)[:TRACKS_MAX]
    alert = opened(rule, rule.kind, result, who, _labels(result, seen), evidence(result, seen))
    return structs.replace(state, alert=alert), (alert,)


def _with(
    rule: Presence,
    state: PresenceState,
    result: Result,
    seen: list[Sighting],
    tracks: tuple[Track, ...],
) -> PresenceState:
    track_of = by_instance(tracks)
    here = [track_of[one.instance].id for one in seen if one.instance in track_of]
    inside = {identity: state.inside.get(identity, 0) + 1 for identity in here}
    told = () if state.alert is None else (*state.alert.tracks, *state.joined)
    new = [one for one, hits in inside.items() if hits >= rule.frames and one not in told]
    room = TRACKS_MAX - len(told)
    return structs.replace(
        state,
        last=Look.at(result),
        hits=min(state.hits + 1, rule.frames),
        misses=0,
        away_us=0,
        inside=inside,
        joined=() if state.alert is None else (*state.joined, *new[:room]),
    )


def _continued(
    state: PresenceState, alert: Alert, result: Result, seen: list[Sighting]
) -> tuple[PresenceState, tuple[Alert, ...]]:
    if not state.joined or within_us(alert.time_us, result.time_us, UPDATE_US):
        return state, ()
    alert = changed(
        alert,
        "updated",
        result.time_us,
        tracks=(*alert.tracks, *state.joined),
        labels=_labels(result, seen, *alert.labels),
        evidence=evidence(result, seen),
    )
    return structs.replace(state, alert=alert, joined=()), (alert,)


def _without(
    rule: Presence, state: PresenceState, result: Result
) -> tuple[PresenceState, tuple[Alert, ...]]:
    away_us = state.away_us + known_us(state.last, result)
    misses = min(state.misses + 1, rule.frames)
    state = structs.replace(
        state, last=Look.at(result), hits=0, misses=misses, away_us=away_us, inside={}
    )
    if state.alert is None or misses < rule.frames or away_us < rule.resolve * 1e6:
        return state, ()
    tracks = (*state.alert.tracks, *state.joined)
    alert = changed(state.alert, "resolved", result.time_us, tracks=tracks)
    return PresenceState(last=state.last, ended_us=result.time_us), (alert,)


def _labels(result: Result, seen: list[Sighting], *known: str) -> tuple[str, ...]:
    return tuple(sorted({*known, *(result.instances[one.instance].label for one in seen)}))
