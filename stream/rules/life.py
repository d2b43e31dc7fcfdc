"""The life of an alert: opened, updated, resolved, under one id."""

import hashlib

from msgspec import structs

from stream.rules.sighting import version
from stream.specs import RuleSpec
from stream.types import Alert, AlertState, Evidence, Result

ID_DIGITS = 24
"""Hex digits of an alert's id: 96 bits, so that no two episodes ever share one."""


def opened(
    rule: RuleSpec,
    kind: str,
    result: Result,
    tracks: tuple[str, ...],
    labels: tuple[str, ...],
    evidence: Evidence,
) -> Alert:
    """A new episode, opened by ``result``."""
    return Alert(
        id=_episode(rule, result, tracks),
        state="opened",
        rule=rule.id,
        kind=kind,
        camera=result.camera,
        zone=rule.zone,
        labels=labels,
        severity=rule.severity,
        tracks=tracks,
        opened_us=result.time_us,
        time_us=result.time_us,
        evidence=evidence,
        notify=rule.notify,
    )


def changed(alert: Alert, state: AlertState, time_us: int, **fields: object) -> Alert:
    """The same episode, later."""
    return structs.replace(alert, state=state, time_us=time_us, **fields)


def _episode(rule: RuleSpec, result: Result, tracks: tuple[str, ...]) -> str:
    """The id of the episode: equal input gives equal ids, in a replay too."""
    told = "\n".join((rule.id, version(rule), str(result.id), *tracks))
    return hashlib.sha256(told.encode()).hexdigest()[:ID_DIGITS]
