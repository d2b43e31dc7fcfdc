"""One message of a camera's masks: who is where, and what the rules make of it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress

import numpy as np
from msgspec import Struct, structs

from stream.errors import ConfigError
from stream.masks import Mask
from stream.rules import Dwell, Presence, RuleState, evaluate, open_alerts, version
from stream.rules.life import changed
from stream.specs import Polygon, ZoneSpec
from stream.tracking import Identities, track
from stream.types import Alert, MaskMessage, Result, Size, Track, Tracks
from stream.watermark import Watermark, trimmed

AnyRule = Presence | Dwell


@dataclass(frozen=True, slots=True)
class Plan:
    """What is watched on one camera: its zones by name, and its rules in order."""

    zones: Mapping[str, Polygon]
    rules: tuple[AnyRule, ...]


NOTHING = Plan({}, ())
"""The plan of a camera that no rule and no zone names: it is tracked all the same."""


class Watched(Struct, frozen=True):
    """All that is known of one camera: a value, from one message to the next.

    ``rules`` has each rule's state by the rule's version, so that a changed rule begins anew.
    ``dropped`` counts what came again or too late.
    """

    mark: Watermark = Watermark()
    identities: Identities = Identities()
    rules: dict[str, RuleState] = {}
    dropped: int = 0


def plans(rules: Iterable[AnyRule], zones: Iterable[ZoneSpec]) -> dict[str, Plan]:
    """The plan of each camera that a rule or a zone names.

    Raises `ConfigError` where a rule names an unknown zone, or neither a zone nor a camera.
    """
    zones = tuple(zones)
    camera_of = {zone.id: zone.camera for zone in zones}
    rules_of: dict[str, list[AnyRule]] = {camera: [] for camera in camera_of.values()}
    for rule in rules:
        if rule.zone is not None and rule.zone not in camera_of:
            allowed = ", ".join(camera_of) or "none is set"
            raise ConfigError(f"rule {rule.id}: zone: given {rule.zone}; allowed: {allowed}")
        camera = camera_of[rule.zone] if rule.zone is not None else rule.camera
        if camera is None:
            raise ConfigError(f"rule {rule.id}: camera: needed where zone is not set")
        rules_of.setdefault(camera, []).append(rule)
    return {
        camera: Plan({zone.id: zone.polygon for zone in zones if zone.camera == camera}, (*own,))
        for camera, own in rules_of.items()
    }


def step(
    plan: Plan, state: Watched, message: MaskMessage
) -> tuple[Watched, Tracks | None, tuple[Alert, ...]]:
    """What one message of a camera does: its next state, who is where, changes of alerts.

    Only a result says who is where. Gaps and epochs move the watermark and nothing else: what was
    not seen is unknown. What lies below the watermark is dropped and counted in the state.
    """
    mark, new = trimmed(state.mark, message)
    if new is None:
        return structs.replace(state, mark=mark, dropped=state.dropped + 1), None, ()
    moved = structs.replace(state, mark=mark)
    if not isinstance(message, Result):
        return moved, None, ()
    identities, found = track(moved.identities, message)
    masks = {name: zone_mask(polygon, message.size) for name, polygon in plan.zones.items()}
    rules, alerts = _judge(plan, masks, moved.rules, message, found)
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
        plan, state = plan_of.get(camera, NOTHING), states.get(camera, Watched())
        states[camera], _, new = step(plan, state, message)
        alerts += new
    return alerts


@lru_cache(maxsize=1024)
def zone_mask(polygon: Polygon, size: Size) -> Mask:
    """The pixels of a zone in frames of ``size``; its corners are fractions of width and height."""
    height, width = size
    return Mask.from_polygon(size, np.array(polygon) * (width, height))


def _judge(
    plan: Plan,
    masks: Mapping[str, Mask],
    states: Mapping[str, RuleState],
    result: Result,
    tracks: tuple[Track, ...],
) -> tuple[dict[str, RuleState], tuple[Alert, ...]]:
    """All rules of the camera, in order. A rule that is gone leaves no alert open behind it."""
    after: dict[str, RuleState] = {}
    alerts: list[Alert] = []
    for rule in plan.rules:
        name = version(rule)
        zone = None if rule.zone is None else masks[rule.zone]
        after[name], new = evaluate(rule, zone, states.get(name), result, tracks)
        alerts += new
    for name, state in states.items():
        if name not in after:
            alerts += (changed(one, "resolved", result.time_us) for one in open_alerts(state))
    return after, tuple(alerts)


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
