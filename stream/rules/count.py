"""``kind: count``: as many as a limit says are in the zone, for a time."""

from typing import Literal

from pydantic import Field

from stream.masks import Mask
from stream.rules.episode import EpisodeState, Finding, Patience, Step, advance
from stream.rules.limit import LimitedRuleSpec, held
from stream.rules.sighting import evidence, sightings
from stream.specs import Count
from stream.types import Result, Track


class Occupancy(LimitedRuleSpec):
    """Opens when at least, or at most, so many instances count for a time."""

    kind: Literal["count"] = "count"
    at_least: Count | None = Field(None, ge=1, le=100_000, description="so many or more")
    at_most: Count | None = Field(None, ge=0, le=100_000, description="so many or fewer")


def evaluate_count(
    rule: Occupancy,
    zone: Mask | None,
    state: EpisodeState,
    result: Result,
    tracks: tuple[Track, ...],
) -> Step:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    seen = sightings(rule, zone, result, tracks, state.counted)
    number = len(seen)
    holds, limit = held(rule, number)
    told = evidence(result, seen, float(number))
    finding = Finding(holds, seen, seen, told, f"{number} counted; {limit}")
    return advance(rule, Patience(lasting_s=rule.lasting), state, result, finding)
