"""The life of rules that have one open alert at a time, whatever it is that they look for.

A kind says of each result whether what it looks for is there, who it is about and what weighs;
here results and known time are counted, an alert opens, tells who joined, and resolves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct, structs

from stream.rule_spec import SightingRuleSpec
from stream.rules.life import UPDATE_US, changed, opened
from stream.rules.sighting import Look, Sighting, counting, known_us, within_us
from stream.types import Alert, Evidence, Result

TRACKS_MAX = 100
"""Identities that an alert names: more would make its body too long, and nobody reads them."""


class EpisodeState(Struct, frozen=True, tag="episode"):
    """Where such a rule stands.

    ``hits`` and ``misses`` count results in a row in which it holds and does not. ``held_us`` is
    how long it has held, short lapses among it, and None while it does not; ``over_us`` is the
    time of the lapse under way. ``inside`` has, for each identity that it is about, its hits in a
    row, and ``counted`` when each identity counted last. ``alert`` is the open episode as last
    told, ``joined`` who came since.
    """

    last: Look | None = None
    hits: int = 0
    misses: int = 0
    held_us: int | None = None
    over_us: int = 0
    inside: dict[str, int] = {}
    counted: dict[str, int] = {}
    alert: Alert | None = None
    joined: tuple[str, ...] = ()
    ended_us: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a kind makes of one result.

    ``counting`` are the sightings, ``about`` those of them whose identities the alert names.
    """

    holds: bool
    counting: Sequence[Sighting]
    about: Sequence[Sighting]
    evidence: Evidence
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long it must hold: ``frames`` results in a row and ``lasting_s`` of known time.

    To resolve it takes as many results without, and the rule's own ``resolve``.
    """

    frames: int = 1
    lasting_s: float = 0.0


Step = tuple[EpisodeState, tuple[Alert, ...]]


def advance(
    rule: SightingRuleSpec,
    patience: Patience,
    state: EpisodeState,
    result: Result,
    finding: Finding,
) -> Step:
    """The next state, and what changed in the alert. Results come in order, once each."""
    passed_us = known_us(state.last, result)
    state = structs.replace(
        state,
        last=Look.at(result),
        counted=counting(state.counted, result, finding.counting),
    )
    if not finding.holds:
        return _without(rule, patience, state, result, passed_us)
    state = _with(patience, state, finding, passed_us)
    if state.alert is not None:
        return _continued(state, state.alert, result, finding)
    if not _is_due(rule, patience, state, result):
        return state, ()
    who, labels = tuple(state.inside)[:TRACKS_MAX], _labels(result, finding)
    alert = opened(rule, result, who, labels, finding.evidence, finding.detail)
    return structs.replace(state, alert=alert), (alert,)


def _is_due(
    rule: SightingRuleSpec, patience: Patience, state: EpisodeState, result: Result
) -> bool:
    return (
        state.hits >= patience.frames
        and (state.held_us or 0) >= patience.lasting_s * 1e6
        and not within_us(state.ended_us, result.time_us, rule.cooldown * 1e6)
    )


def _with(
    patience: Patience, state: EpisodeState, finding: Finding, passed_us: int
) -> EpisodeState:
    here = [one.identity for one in finding.about if one.identity is not None]
    inside = {identity: state.inside.get(identity, 0) + 1 for identity in here}
    told = () if state.alert is None else (*state.alert.tracks, *state.joined)
    new = [one for one, hits in inside.items() if hits >= patience.frames and one not in told]
    return structs.replace(
        state,
        hits=min(state.hits + 1, patience.frames),
        misses=0,
        held_us=0 if state.held_us is None else state.held_us + state.over_us + passed_us,
        over_us=0,
        inside=inside,
        joined=() if state.alert is None else (*state.joined, *new[: TRACKS_MAX - len(told)]),
    )


def _continued(state: EpisodeState, alert: Alert, result: Result, finding: Finding) -> Step:
    if not state.joined or within_us(alert.time_us, result.time_us, UPDATE_US):
        return state, ()
    alert = changed(
        alert,
        "updated",
        result.time_us,
        tracks=(*alert.tracks, *state.joined),
        labels=_labels(result, finding, *alert.labels),
        evidence=finding.evidence,
        detail=finding.detail,
    )
    return structs.replace(state, alert=alert, joined=()), (alert,)


def _without(
    rule: SightingRuleSpec, patience: Patience, state: EpisodeState, result: Result, passed_us: int
) -> Step:
    if state.held_us is None:
        return state, ()
    misses, over_us = min(state.misses + 1, patience.frames), state.over_us + passed_us
    if misses < patience.frames or over_us < rule.resolve * 1e6:
        lapsed = structs.replace(state, hits=0, misses=misses, over_us=over_us, inside={})
        return lapsed, ()
    over = EpisodeState(last=state.last, counted=state.counted, ended_us=state.ended_us)
    if state.alert is None:
        return over, ()
    tracks = (*state.alert.tracks, *state.joined)
    alert = changed(state.alert, "resolved", result.time_us, tracks=tracks)
    return structs.replace(over, ended_us=result.time_us), (alert,)


def _labels(result: Result, finding: Finding, *known: str) -> tuple[str, ...]:
    seen = {result.instances[one.instance].label for one in finding.about}
    return tuple(sorted({*known, *seen}))
