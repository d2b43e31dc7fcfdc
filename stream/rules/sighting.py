"""What all kinds of rules ask of a result: who counts, how much time is known, what was seen."""

import hashlib
import json
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from stream.masks import Mask, overlap
from stream.specs import RuleSpec, SightingRuleSpec
from stream.types import Evidence, Result, Track

SILENCE_US = 2_000_000
"""Between two results with frames missing, a longer time than this is unknown: it counts nowhere.
Shorter holes are what a busy system leaves between frames, and nobody comes and goes in them."""


class Sighting(NamedTuple):
    """An instance that counts for a rule: its index in the result, and its part in the zone."""

    instance: int
    overlap: float


class Look(Struct, frozen=True):
    """Which frame a rule looked at last, and its event time."""

    epoch: int
    seq: int
    time_us: int

    @classmethod
    def at(cls, result: Result) -> "Look":
        """The look at this result."""
        return cls(result.epoch, result.seq, result.time_us)


def sightings(rule: SightingRuleSpec, zone: Mask | None, result: Result) -> list[Sighting]:
    """The instances of ``result`` with the rule's label, score and overlap with the zone.

    ``zone`` has the result's size; None is the whole frame. An empty mask never counts.
    """
    found = []
    for index, instance in enumerate(result.instances):
        if rule.label not in {None, instance.label} or instance.score < rule.score:
            continue
        part = _part_inside(instance.mask, zone)
        if part >= rule.overlap:
            found.append(Sighting(index, part))
    return found


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


def evidence(result: Result, seen: list[Sighting]) -> Evidence:
    """The sighting that weighs most: its score times its part in the zone is the highest."""
    best = max(seen, key=lambda one: result.instances[one.instance].score * one.overlap)
    instance = result.instances[best.instance]
    return Evidence(
        epoch=result.epoch,
        seq=result.seq,
        score=instance.score,
        overlap=best.overlap,
        box=instance.box,
        frame_ref=result.frame_ref,
    )


def by_instance(tracks: tuple[Track, ...]) -> dict[int, Track]:
    """The tracks by the index of their instance."""
    return {track.instance: track for track in tracks}


@lru_cache(maxsize=4096)
def version(rule: RuleSpec) -> str:
    """A hash of what the rule says: it changes when, and only when, a setting of it does."""
    said = rule.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps([type(rule).__name__, said], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _part_inside(mask: Mask, zone: Mask | None) -> float:
    if zone is None:
        return 1.0 if mask.area else 0.0
    return overlap(mask, zone)
