"""One message of a camera's masks: who is where, and what the rules make of it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import compress

import numpy as np
from msgspec import Struct, structs

from stream.errors import ConfigError
from stream.masks import Mask, difference, union
from stream.rules import (
    AnyRule,
    Crossing,
    Health,
    RuleState,
    SightingRule,
    evaluate,
    is_awake,
    judge_health,
    open_alerts,
    version,
)
from stream.rules.life import changed
from stream.rules.trouble import BLINDING, MISPLACING, Trouble, Troubles, any_of, heard
from stream.specs import Polygon, ZoneSpec
from stream.tracking.identities import Identities, track
from stream.types import Alert, CameraHealth, Condition, MaskMessage, Result, Size, Track, Tracks
from stream.watermark import Watermark, trimmed


@dataclass(frozen=True)
class Plan:
    """What is watched on one camera: its zones by name, and its rules in order."""

    zones: Mapping[str, Polygon]
    rules: tuple[AnyRule, ...]

    @cached_property
    def by_version(self) -> Mapping[str, AnyRule]:
        """The rules in order, each under its version."""
        return {version(rule): rule for rule in self.rules}


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

    def replace(self, other: "Plans") -> None:
        """Become ``other``."""
        self.clear()
        self.update(other)
        self._others = other._others


class Watched(Struct, frozen=True):
    """All that is known of one camera: a value, from one message to the next.

    ``rules`` has each rule's state by the rule's version, so that a changed rule begins anew.
    ``dropped`` counts what came again or too late. ``traces`` has of each alert that is open where
    its trace goes on from (``traceparent``), if the frame that opened it is traced.
    """

    mark: Watermark = Watermark()
    identities: Identities = Identities()
    rules: dict[str, RuleState] = {}
    dropped: int = 0
    troubles: dict[Condition, Trouble] = {}
    traces: dict[str, str] = {}


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
    camera = rule.camera if rule.zone is None else _home(rule, "zone", rule.zone, camera_of)
    if camera is None:
        raise ConfigError(f"rule {rule.id}: camera: needed where zone is not set")
    for name in rule.ignore:
        own = {zone: its for zone, its in camera_of.items() if its == camera}
        _home(rule, "ignore", name, own)
    return camera


def _home(rule: SightingRule, field: str, zone: str, camera_of: Mapping[str, str]) -> str:
    """The camera of a zone that ``field`` of the rule names."""
    if zone not in camera_of:
        allowed = ", ".join(camera_of) or "none is set"
        raise ConfigError(f"rule {rule.id}: {field}: given {zone}; allowed: {allowed}")
    return camera_of[zone]


def open_by_rule(plan: Plan, state: Watched) -> dict[str, int]:
    """How many alerts are open by each of the camera's rules, and by those that are gone."""
    counts = dict.fromkeys((rule.id for rule in plan.rules), 0)
    for each in state.rules.values():
        for alert in open_alerts(each):
            counts[alert.rule] = counts.get(alert.rule, 0) + 1
    return counts


def _nothing() -> None:
    pass


def step(
    plan: Plan,
    state: Watched,
    message: MaskMessage,
    tracked: Callable[[], None] = _nothing,
) -> tuple[Watched, Tracks | None, tuple[Alert, ...]]:
    """What one message of a camera does: its next state, who is where, changes of alerts.

    Only a result says who is where, and only health how the camera is. Gaps and epochs move the
    watermark and nothing else: what was not seen is unknown. What lies below the watermark is
    dropped and counted in the state. ``tracked`` is called between identities and rules.
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
    tracked()

    def see(rule: SightingRule, before: RuleState | None) -> Judgement:
        zone = _watched(plan, rule, message.size)
        if zone is not None and not zone.edges.size:  # nothing of it is in such a picture
            return before, ()
        return evaluate(rule, zone, before, message, found)

    rules, alerts = _judge(plan, moved, message, see)
    masks = {name: zone_mask(polygon, message.size) for name, polygon in plan.zones.items()}
    tracks = Tracks(
        message.camera,
        message.epoch,
        message.seq,
        message.time_us,
        tuple(_placed(found, masks, message.size)),
    )
    return structs.replace(moved, identities=identities, rules=rules), tracks, alerts


class Replay:
    """Recorded messages through rules: ``watched`` is what is known by now of each camera."""

    def __init__(self, rules: Iterable[AnyRule], zones: Iterable[ZoneSpec]) -> None:
        self.plans = plans(rules, zones)
        self.watched: dict[str, Watched] = {}

    def add(self, message: MaskMessage) -> tuple[Alert, ...]:
        """What the rules would have sent for the next message; those of a camera are in order."""
        camera = message.camera
        state = self.watched.get(camera, Watched())
        self.watched[camera], _, alerts = step(self.plans[camera], state, message)
        return alerts


def replay(
    rules: Sequence[AnyRule], zones: Sequence[ZoneSpec], messages: Iterable[MaskMessage]
) -> list[Alert]:
    """The alerts that these rules would have sent for recorded messages, in order."""
    each = Replay(rules, zones)
    return [alert for message in messages for alert in each.add(message)]


@lru_cache(maxsize=1024)
def zone_mask(polygon: Polygon, size: Size) -> Mask:
    """The pixels of a zone in frames of ``size``; its corners are fractions of width and height."""
    height, width = size
    return Mask.from_polygon(size, np.array(polygon) * (width, height))


def _watched(plan: Plan, rule: SightingRule, size: Size) -> Mask | None:
    """The pixels that a rule watches; None for all of them."""
    zone = None if rule.zone is None else plan.zones[rule.zone]
    if not rule.ignore:
        return None if zone is None else zone_mask(zone, size)
    return _cut(zone, tuple(plan.zones[name] for name in rule.ignore), size)


@lru_cache(maxsize=1024)
def _cut(zone: Polygon | None, ignored: tuple[Polygon, ...], size: Size) -> Mask:
    whole = Mask.whole(size) if zone is None else zone_mask(zone, size)
    return difference(whole, union([zone_mask(polygon, size) for polygon in ignored]))


def _judge(
    plan: Plan,
    state: Watched,
    message: Result | CameraHealth,
    see: Callable[[SightingRule, RuleState | None], Judgement],
) -> tuple[dict[str, RuleState], tuple[Alert, ...]]:
    """All rules of the camera, in order. A rule that is gone leaves no alert open behind it."""
    after: dict[str, RuleState] = {}
    alerts: list[Alert] = []
    for name, rule in plan.by_version.items():
        before = state.rules.get(name)
        judged, new = _judgement(rule, before, state.troubles, message, see)
        if judged is not None:
            after[name] = judged
        alerts += new
    for name, before in state.rules.items():
        if name not in plan.by_version:
            alerts += _ended(before, message.time_us, "its rule was changed or removed")
    return after, tuple(alerts)


def _ended(before: RuleState | None, time_us: int, why: str) -> tuple[Alert, ...]:
    """What a rule that goes to sleep or away leaves: no alert stays open behind it."""
    left = () if before is None else open_alerts(before)
    return tuple(changed(alert, "resolved", time_us, detail=why) for alert in left)


def _judgement(
    rule: AnyRule,
    before: RuleState | None,
    troubles: Troubles,
    message: Result | CameraHealth,
    see: Callable[[SightingRule, RuleState | None], Judgement],
) -> Judgement:
    if not is_awake(rule.schedule, message.time_us):
        return None, _ended(before, message.time_us, "its schedule ended")
    if isinstance(rule, Health):
        return judge_health(rule, before, troubles, message)
    if _is_unknown(rule, troubles, message.time_us):
        return before, ()
    return see(rule, before)


def _nobody(_: SightingRule, before: RuleState | None) -> Judgement:
    """Health shows nobody: nothing is known of who is where."""
    return before, ()


def _is_unknown(rule: SightingRule, troubles: Troubles, now_us: int) -> bool:
    """Whether what a result shows now may not be what is there, or not where the rule thinks."""
    is_placed = rule.zone is not None or rule.ignore or isinstance(rule, Crossing)
    hiding = (*BLINDING, *MISPLACING) if is_placed else BLINDING
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
