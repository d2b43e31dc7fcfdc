"""One message of a camera's masks: who is where, and what the rules make of it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress

import numpy as np
from msgspec import Struct, structs

from stream.errors import ConfigError
from stream.masks import Mask
from stream.rules import (
    AnyRule,
    Health,
    RuleState,
    SightingRule,
    evaluate,
    judge_health,
    open_alerts,
    version,
)
from stream.rules.life import changed
from stream.rules.trouble import BLINDING, MISPLACING, Trouble, Troubles, any_of, heard
from stream.specs import Polygon, ZoneSpec
from stream.tracking import Identities, track
from stream.types import Alert, CameraHealth, Condition, MaskMessage, Result, Size, Track, Tracks
from stream.watermark import Watermark, trimmed


@dataclass(frozen=True, slots=True)
class Plan:
    """What is watched on one camera: its zones by name, and its rules in order."""

    zones: Mapping[str, Polygon]
    rules: tuple[AnyRule, ...]


Judgement = tuple[RuleState | None, tuple[Alert, ...]]
"""A rule's next state, and what changed in its alerts."""
NOTHING = Plan({}, ())
"""Of a camera that nothing watches: it is tracked all the same."""


class Plans(dict[str, Plan]):
    """The plan of each camera that a rule or a zone names; ``others`` is that of any other."""

    def __init__(self, named: Mapping[str, Plan], others: Plan) -> None:
        super().__init__(named)
        self._others = others

    def __missing__(self, camera: str) -> Plan:
        return self._others


class Watched(Struct, frozen=True):
    """All that is known of one camera: a value, from one message to the next.

    ``rules`` has each rule's state by the rule's version, so that a changed rule begins anew.
    ``dropped`` counts what came again or too late.
    """

    mark: Watermark = Watermark()
    identities: Identities = Identities()
    rules: dict[str, RuleState] = {}
    dropped: int = 0
    troubles: dict[Condition, Trouble] = {}


def plans(rules: Iterable[AnyRule], zones: Iterable[ZoneSpec]) -> Plans:
    """The plan of each camera.

    Raises `ConfigError` where a rule names an unknown zone, or neither a zone nor a camera, unless
    it is one that watches every camera.
    """
    rules, zones = tuple(rules), tuple(zones)
    camera_of = {zone.id: zone.camera for zone in zones}
    cameras = [_camera(rule, camera_of) for rule in rules]

    def plan(camera: str | None) -> Plan:
        own = (rule for rule, its in zip(rules, cameras, strict=True) if its in {None, camera})
        return Plan({zone.id: zone.polygon for zone in zones if zone.camera == camera}, (*own,))

    named = {camera for camera in (*camera_of.values(), *cameras) if camera is not None}
    return Plans({camera: plan(camera) for camera in named}, plan(None))


def _camera(rule: AnyRule, camera_of: Mapping[str, str]) -> str | None:
    """The camera that a rule watches; None for every camera."""
    if isinstance(rule, Health):
        return rule.camera
    if rule.zone is not None and rule.zone not in camera_of:
        allowed = ", ".join(camera_of) or "none is set"
        raise ConfigError(f"rule {rule.id}: zone: given {rule.zone}; allowed: {allowed}")
    camera = camera_of[rule.zone] if rule.zone is not None else rule.camera
    if camera is None:
        raise ConfigError(f"rule {rule.id}: camera: needed where zone is not set")
    return camera


def step(
    plan: Plan, state: Watched, message: MaskMessage
) -> tuple[Watched, Tracks | None, tuple[Alert, ...]]:
    """What one message of a camera does: its next state, who is where, changes of alerts.

    Only a result says who is where, and only health how the camera is. Gaps and epochs move the
    watermark and nothing else: what was not seen is unknown. What lies below the watermark is
    dropped and counted in the state.
    """
    mark, new = trimmed(state.mark, message)
    if new is None:
        return structs.replace(state, mark=mark, dropped=state.dropped + 1), None, ()
    moved = structs.replace(state, mark=mark)
    if isinstance(message, CameraHealth):
        moved = structs.replace(moved, troubles=heard(moved.troubles, message))
        rules, alerts = _judge(plan, moved, message, _nobody)
        return structs.replace(moved, rules=rules), None, alerts
    if not isinstance(message, Result):
        return moved, None, ()
    identities, found = track(moved.identities, message)
    masks = {name: zone_mask(polygon, message.size) for name, polygon in plan.zones.items()}

    def see(rule: SightingRule, before: RuleState | None) -> Judgement:
        zone = None if rule.zone is None else masks[rule.zone]
        return evaluate(rule, zone, before, message, found)

    rules, alerts = _judge(plan, moved, message, see)
    tracks = Tracks(
        message.camera,
        message.epoch,
        message.seq,
        message.time_us,
        tuple(_placed(found, masks, message.size)),
    )
    return structs.replace(moved, identities=identities, rules=rules), tracks, alerts


def replay(
    rules: Sequence[AnyRule], zones: Sequence[ZoneSpec], messages: Iterable[MaskMessage]
) -> list[Alert]:
    """The alerts that these rules would have sent for recorded messages, in order."""
    plan_of = plans(rules, zones)
    states: dict[str, Watched] = {}
    alerts: list[Alert] = []
    for message in messages:
        camera = message.camera
        state = states.get(camera, Watched())
        states[camera], _, new = step(plan_of[camera], state, message)
        alerts += new
    return alerts


@lru_cache(maxsize=1024)
def zone_mask(polygon: Polygon, size: Size) -> Mask:
    """The pixels of a zone in frames of ``size``; its corners are fractions of width and height."""
    height, width = size
    return Mask.from_polygon(size, np.array(polygon) * (width, height))


def _judge(
    plan: Plan,
    state: Watched,
    message: Result | CameraHealth,
    see: Callable[[SightingRule, RuleState | None], Judgement],
) -> tuple[dict[str, RuleState], tuple[Alert, ...]]:
    """All rules of the camera, in order. A rule that is gone leaves no alert open behind it."""
    after: dict[str, RuleState] = {}
    alerts: list[Alert] = []
    for rule in plan.rules:
        name = version(rule)
        before = state.rules.get(name)
        judged, new = _judgement(rule, before, state.troubles, message, see)
        if judged is not None:
            after[name] = judged
        alerts += new
    kept = {version(rule) for rule in plan.rules}
    for name, before in state.rules.items():
        if name not in kept:
            alerts += (changed(one, "resolved", message.time_us) for one in open_alerts(before))
    return after, tuple(alerts)


def _judgement(
    rule: AnyRule,
    before: RuleState | None,
    troubles: Troubles,
    message: Result | CameraHealth,
    see: Callable[[SightingRule, RuleState | None], Judgement],
) -> Judgement:
    if isinstance(rule, Health):
        return judge_health(rule, before, troubles, message)
    if _is_unknown(rule, troubles, message.time_us):
        return before, ()
    return see(rule, before)


def _nobody(_: SightingRule, before: RuleState | None) -> Judgement:
    """Health shows nobody: nothing is known of who is where."""
    return before, ()


def _is_unknown(rule: SightingRule, troubles: Troubles, now_us: int) -> bool:
    """Whether what a result shows now may not be what is there, or not where the zone is."""
    hiding = BLINDING if rule.zone is None else (*BLINDING, *MISPLACING)
    return any_of(troubles, hiding, now_us)


def _placed(tracks: tuple[Track, ...], masks: Mapping[str, Mask], size: Size) -> list[Track]:
    """The tracks with the zones that they stand in: those that have their contact point."""
    height, width = size
    if not tracks or not masks:
        return list(tracks)
    points = np.array([track.contact for track in tracks])
    column, row = np.clip(points, 0, (width - 1, height - 1)).astype(np.int64).T
    position = column * height + row
    # A position lies in a run of ones when an odd number of boundaries is at or before it.
    inside = [np.searchsorted(mask.edges, position, side="right") % 2 for mask in masks.values()]
    return [
        structs.replace(track, zones=tuple(compress(masks, flags)))
        for track, flags in zip(tracks, np.array(inside).T, strict=True)
    ]
