"""The life of an alert: opened, updated, resolved, under one id."""

import hashlib

from msgspec import structs

from stream.rule_spec import RuleSpec, SightingRuleSpec
from stream.rules.sighting import version
from stream.types import Alert, AlertState, CameraHealth, Evidence, Result

ID_DIGITS = 24
"""Hex digits of an alert's id: 96 bits, so that no two episodes ever share one."""
UPDATE_US = 10_000_000
"""An episode changes no more often than this, so that a busy zone does not flood its receiver."""


def opened(
    rule: SightingRuleSpec,
    result: Result,
    tracks: tuple[str, ...],
    labels: tuple[str, ...],
    evidence: Evidence,
    detail: str = "",
) -> Alert:
    """A new episode, opened by ``result``."""
    return Alert(
        id=_episode(rule, str(result.id), tracks),
        state="opened",
        rule=rule.id,
        kind=rule.kind,
        camera=result.camera,
        zone=rule.zone,
        labels=labels,
        severity=rule.severity,
        tracks=tracks,
        opened_us=result.time_us,
        time_us=result.time_us,
        evidence=evidence,
        notify=rule.notify,
        detail=detail,
    )


def opened_of_health(
    rule: RuleSpec, message: Result | CameraHealth, conditions: tuple[str, ...], detail: str
) -> Alert:
    """A new episode of a camera in trouble, due at ``message``."""
    return Alert(
        id=_episode(rule, f"{message.camera}/{message.epoch}/{message.time_us}", ()),
        state="opened",
        rule=rule.id,
        kind=rule.kind,
        camera=message.camera,
        zone=None,
        labels=conditions,
        severity=rule.severity,
        tracks=(),
        opened_us=message.time_us,
        time_us=message.time_us,
        evidence=None,
        notify=rule.notify,
        detail=detail,
    )


def changed(alert: Alert, state: AlertState, time_us: int, **fields: object) -> Alert:
    """The same episode, later."""
    return structs.replace(alert, state=state, time_us=time_us, **fields)


def _episode(rule: RuleSpec, place: str, tracks: tuple[str, ...]) -> str:
    """The id of an episode that began at ``place``: equal input gives equal ids, in replays too."""
    told = "\n".join((rule.id, version(rule), place, *tracks))
    return hashlib.sha256(told.encode()).hexdigest()[:ID_DIGITS]
