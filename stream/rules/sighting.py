"""What all kinds of rules ask of a result: who counts, how much time is known, what was seen."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from stream.masks import Mask, distinct, overlaps
from stream.rule_spec import RuleSpec, SightingRuleSpec
from stream.types import Evidence, Result, Track

SILENCE_US = 2_000_000
"""Between two results with frames missing, a longer time than this is unknown: it counts nowhere.
Shorter holes are what a busy system leaves between frames, and nobody comes and goes in them."""
STAY_US = 2_000_000
"""Who counted within this time has the thresholds of `SightingRuleSpec.stay`."""

Counted = Mapping[str, int]
"""When each identity counted last, event time in microseconds."""


class Sighting(NamedTuple):
    """An instance that counts for a rule: its index in the result, its part in the zone, and its
    identity, which an instance may not have yet.
    """

    instance: int
    overlap: float
    identity: str | None


class Look(Struct, frozen=True):
    """Which frame a rule looked at last, and its event time."""

    epoch: int
    seq: int
    time_us: int

    @classmethod
    def at(cls, result: Result) -> "Look":
        """The look at this result."""
        return cls(result.epoch, result.seq, result.time_us)


class _Least(NamedTuple):
    score: float
    area_px: float
    overlap: float


def sightings(
    rule: SightingRuleSpec,
    zone: Mask | None,
    result: Result,
    tracks: Sequence[Track],
    counted: Counted,
) -> list[Sighting]:
    """The instances of ``result`` with a label of the rule, and its score, area and overlap.

    ``zone`` has the result's size; None is the whole frame. An empty mask never counts, and a
    thing that is found twice counts once, whatever its labels. ``counted`` is what `counting`
    gave for the results before.
    """
    identity_of = {track.instance: track.id for track in tracks}
    enter, stay = _thresholds(rule, result)
    labels = rule.wanted
    near = []
    for index, instance in enumerate(result.instances):
        if labels is not None and instance.label not in labels:
            continue
        identity = identity_of.get(index)
        least = enter
        if stay is not enter and identity is not None:
            stays = within_us(counted.get(identity), result.time_us, STAY_US)
            least = stay if stays else enter
        if instance.score < least.score or not instance.mask.edges.size:
            continue
        if not least.area_px or instance.mask.area >= least.area_px:
            near.append((index, identity, least.overlap))
    parts = _parts_inside([result.instances[index].mask for index, _, _ in near], zone)
    found = [
        Sighting(index, part, identity)
        for (index, identity, least_part), part in zip(near, parts, strict=True)
        if part > 0 and part >= least_part
    ]
    return _once(found, result, counted)


def counting(counted: Counted, result: Result, seen: Sequence[Sighting]) -> dict[str, int]:
    """Who counted lately, with those who do in ``result``."""
    lately = {
        identity: time_us
        for identity, time_us in counted.items()
        if within_us(time_us, result.time_us, STAY_US)
    }
    return lately | {one.identity: result.time_us for one in seen if one.identity is not None}


def known_us(last: Look | None, result: Result) -> int:
    """Event time from the last look to ``result`` in which the camera was watched; 0 if unknown.

    It is known while frames follow each other, however far apart they are, and over holes of up
    to 2 s. Time that goes backwards (a file that begins again) is unknown.
    """
    if last is None or result.time_us <= last.time_us:
        return 0
    passed_us = result.time_us - last.time_us
    follows = (result.epoch, result.seq) == (last.epoch, last.seq + 1)
    return passed_us if follows or passed_us <= SILENCE_US else 0


def within_us(since_us: int | None, now_us: int, length_us: float) -> bool:
    """Whether ``now_us`` lies in the ``length_us`` after ``since_us``; an earlier time does not."""
    return since_us is not None and 0 <= now_us - since_us < length_us


def evidence(result: Result, seen: Sequence[Sighting], value: float | None = None) -> Evidence:
    """The sighting that weighs most: its score times its part in the zone is the highest.

    ``value`` is what the rule measured. Without a sighting the frame alone is the evidence.
    """
    if not seen:
        return Evidence(result.epoch, result.seq, value=value, frame_ref=result.frame_ref)
    best = max(seen, key=lambda one: result.instances[one.instance].score * one.overlap)
    instance = result.instances[best.instance]
    return Evidence(
        epoch=result.epoch,
        seq=result.seq,
        score=instance.score,
        overlap=best.overlap,
        box=instance.box,
        mask=instance.mask,
        value=value,
        frame_ref=result.frame_ref,
    )


@lru_cache(maxsize=4096)
def version(rule: RuleSpec) -> str:
    """A hash of what the rule says: it changes when, and only when, a setting of it does."""
    said = rule.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps([type(rule).__name__, said], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _once(found: list[Sighting], result: Result, counted: Counted) -> list[Sighting]:
    """Each thing once: of instances that show the same pixels, whose identity counted lately,
    else the surest. So a thing that two labels fit keeps one identity.
    """
    if len(found) < 2:
        return found
    instances = [result.instances[one.instance] for one in found]
    ranks = [
        instance.score + (one.identity in counted)  # scores end at 1
        for one, instance in zip(found, instances, strict=True)
    ]
    kept = distinct([instance.mask for instance in instances], ranks)
    return [found[place] for place in kept]


def _thresholds(rule: SightingRuleSpec, result: Result) -> tuple[_Least, _Least]:
    """What it takes to begin to count, and to go on."""
    pixels = result.size[0] * result.size[1]
    enter = _Least(rule.score, rule.area * pixels, rule.overlap)
    score, area, part = rule.stay.score, rule.stay.area, rule.stay.overlap
    if score is area is part is None:
        return enter, enter
    stay = _Least(
        enter.score if score is None else score,
        enter.area_px if area is None else area * pixels,
        enter.overlap if part is None else part,
    )
    return enter, stay


def _parts_inside(masks: Sequence[Mask], zone: Mask | None) -> list[float]:
    """The part of each mask inside the zone; none of them is empty."""
    return [1.0] * len(masks) if zone is None else overlaps(masks, zone).tolist()
