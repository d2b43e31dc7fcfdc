"""``kind: contact``: masks of two labels touch, or come near each other."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from stream.masks import Mask, box_distances, distance
from stream.rule_spec import SightingRuleSpec
from stream.rules.episode import EpisodeState, Finding, Patience, Step, advance
from stream.rules.sighting import Sighting, evidence, sightings
from stream.specs import Count, Labels, Number
from stream.types import Result, Track

TOUCH_PX = math.sqrt(2)
"""Pixels that share a side or a corner are no further apart."""
PAIRS_MAX = 200
"""Pairs whose masks are measured in one result, the nearest boxes first. Each takes up to 0.2 ms,
and a watcher that thinks for seconds is thought dead."""


class Contact(SightingRuleSpec):
    """Opens when an instance of ``labels`` and one of ``others`` touch, or come near each other."""

    kind: Literal["contact"] = "contact"
    others: Labels = Field(description="the labels that it looks for beside those of `labels`")
    within: Number = Field(
        0.0, ge=0, le=1, description="how near, as a part of the picture's height; 0: they touch"
    )
    frames: Count = Field(
        3, ge=1, le=100_000, description="results in a row that it takes, to open and to resolve"
    )

    @property
    def wanted(self) -> Labels | None:
        """Either side."""
        return None if self.labels is None else (*self.labels, *self.others)


class Pair(NamedTuple):
    """Two sightings and the distance of their masks, px."""

    one: Sighting
    other: Sighting
    apart_px: float


def evaluate_contact(
    rule: Contact, zone: Mask | None, state: EpisodeState, result: Result, tracks: tuple[Track, ...]
) -> Step:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    seen = sightings(rule, zone, result, tracks, state.counted)
    pairs = _pairs(rule, result, seen)
    about = sorted({one for pair in pairs for one in (pair.one, pair.other)})
    if not pairs:
        return advance(rule, Patience(rule.frames), state, result, _nobody(result, seen))
    nearest = min(pairs, key=lambda pair: pair.apart_px)
    part = 0.0 if nearest.apart_px <= TOUCH_PX else round(nearest.apart_px / result.size[0], 4)
    told = evidence(result, nearest[:2], part)
    finding = Finding(True, seen, about, told, _detail(rule, result, nearest, part))
    return advance(rule, Patience(rule.frames), state, result, finding)


def _pairs(rule: Contact, result: Result, seen: Sequence[Sighting]) -> list[Pair]:
    """All that are near enough, each once, with the instance of ``labels`` first."""
    labels = [result.instances[each.instance].label for each in seen]
    ones = [at for at, label in enumerate(labels) if rule.labels is None or label in rule.labels]
    others = [at for at, label in enumerate(labels) if label in rule.others]
    masks = [result.instances[each.instance].mask for each in seen]
    limit_px = max(TOUCH_PX, rule.within * result.size[0])
    found = []
    for one, other in _nearest(masks, ones, others, limit_px):
        apart_px = distance(masks[one], masks[other], limit_px)
        if apart_px <= limit_px:
            found.append(Pair(seen[one], seen[other], apart_px))
    return found


def _nearest(
    masks: Sequence[Mask], ones: Sequence[int], others: Sequence[int], limit_px: float
) -> list[tuple[int, int]]:
    """The pairs whose boxes are near enough, each once, the nearest boxes first."""
    apart = box_distances([masks[at] for at in ones], [masks[at] for at in others])
    near: dict[tuple[int, int], float] = {}
    for row, column in np.argwhere(apart <= limit_px).tolist():
        one, other = ones[row], others[column]
        if one != other and (other, one) not in near:
            near[one, other] = apart[row, column]
    return sorted(near, key=near.__getitem__)[:PAIRS_MAX]


def _nobody(result: Result, seen: Sequence[Sighting]) -> Finding:
    return Finding(False, seen, (), evidence(result, ()))


def _detail(rule: Contact, result: Result, pair: Pair, part: float) -> str:
    one, other = (result.instances[each.instance].label for each in pair[:2])
    if part == 0:
        return f"{one} and {other} touch"
    return f"{one} and {other} are {part:.3f} of the picture's height apart; within {rule.within:g}"
