"""``kind: crossing``: somebody crosses a line, in a direction."""

import math
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from stream.masks import Mask
from stream.rule_spec import SightingRuleSpec
from stream.rules.episode import EpisodeState, Finding, Patience, advance
from stream.rules.line import Line, Walk, clear_px, walked
from stream.rules.sighting import evidence, sightings
from stream.specs import FractionPoint, is_point
from stream.tracking import MEMORY_US, STEP_US, UNSEEN_MAX
from stream.types import Alert, Result, Size, Track

SHORTEST = 0.001
"""A line is at least so long, as a fraction of the picture."""


class Crossing(SightingRuleSpec):
    """Opens when somebody crosses a line; who does so until it resolves joins."""

    kind: Literal["crossing"] = "crossing"
    line: tuple[FractionPoint, FractionPoint] = Field(
        description="its two ends, as fractions of width and height"
    )
    direction: Literal["any", "left-to-right", "right-to-left"] = Field(
        "any", description="which way counts, seen as one walks from the first end to the second"
    )
    point: Literal["contact", "centre"] = Field(
        "contact",
        description="what must cross: contact, the middle of the mask's lowest row, or centre, "
        "its centre of mass",
    )

    @field_validator("line", mode="before")
    @classmethod
    def _line_has_two_ends(cls, line: object) -> object:
        if not isinstance(line, list | tuple) or len(line) != 2 or not all(map(is_point, line)):
            raise PydanticCustomError("allowed", "two points: [[x, y], [x, y]]")
        return line

    @field_validator("line")
    @classmethod
    def _ends_are_apart(
        cls, line: tuple[FractionPoint, FractionPoint]
    ) -> tuple[FractionPoint, FractionPoint]:
        if math.dist(*line) < SHORTEST:  # in pixels its ends might be one
            raise PydanticCustomError("allowed", f"two points that are {SHORTEST:g} apart or more")
        return line


class Passer(Struct, frozen=True):
    """How somebody walks, and how long results have not shown them."""

    walk: Walk
    missed_us: int = 0


class CrossingState(Struct, frozen=True, tag="crossing"):
    """Where a crossing rule stands: its episode, and who walks where, by identity."""

    episode: EpisodeState = EpisodeState()
    passers: dict[str, Passer] = {}


def evaluate_crossing(
    rule: Crossing,
    zone: Mask | None,
    state: CrossingState,
    result: Result,
    tracks: tuple[Track, ...],
) -> tuple[CrossingState, tuple[Alert, ...]]:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    seen = sightings(rule, zone, result, tracks, state.episode.counted)
    passers, crossed = _remembered(state, result, tracks), {}
    line, contact_of = in_pixels(rule.line, result.size), {one.id: one.contact for one in tracks}
    for one in seen:
        if one.identity is None:
            continue
        mask, known = result.instances[one.instance].mask, passers.get(one.identity)
        point = contact_of[one.identity] if rule.point == "contact" else mask.centre
        clear = clear_px(mask.box[3] - mask.box[1], result.size[0])
        walk, way = walked(line, known.walk if known else None, point, clear)
        passers[one.identity] = Passer(walk)
        if way is not None and rule.direction in {"any", way}:
            crossed[one] = way
    about, ways = list(crossed), ", ".join(sorted(set(crossed.values())))
    finding = Finding(bool(about), seen, about, evidence(result, about), ways)
    episode, alerts = advance(rule, Patience(), state.episode, result, finding)
    return CrossingState(episode, passers), alerts


def in_pixels(line: tuple[FractionPoint, FractionPoint], size: Size) -> Line:
    """The line in frames of ``size``."""
    height, width = size
    (x1, y1), (x2, y2) = line
    return Line((x1 * width, y1 * height), (x2 * width, y2 * height))


def _remembered(state: CrossingState, result: Result, tracks: Sequence[Track]) -> dict[str, Passer]:
    """The passers that tracking may still know, those out of sight first.

    Whom it knows it finds again under the same name, wherever that is; it is told here by the same
    count of time. A person it sees lives on, counting for this rule or not.
    """
    last = state.episode.last
    since_us = 0 if last is None else result.time_us - last.time_us
    here = {track.id for track in tracks}
    passed_us = max(1, min(since_us, STEP_US))
    unseen = {
        name: Passer(passer.walk, passer.missed_us + passed_us)
        for name, passer in state.passers.items()
        if name not in here and passer.missed_us + passed_us <= MEMORY_US and since_us >= 0
    }
    kept = dict(list(unseen.items())[-UNSEEN_MAX:])
    return kept | {name: Passer(one.walk) for name, one in state.passers.items() if name in here}
