"""``kind: presence``: somebody is in the zone for N results in a row."""

from typing import Literal

from pydantic import Field

from stream.masks import Mask
from stream.rule_spec import SightingRuleSpec
from stream.rules.episode import EpisodeState, Finding, Patience, Step, advance
from stream.rules.sighting import evidence, sightings
from stream.specs import Count
from stream.types import Result, Track


class Presence(SightingRuleSpec):
    """Opens when at least one instance counts in ``frames`` consecutive results."""

    kind: Literal["presence"] = "presence"
    frames: Count = Field(
        3, ge=1, le=100_000, description="results in a row that it takes, to open and to resolve"
    )


def evaluate_presence(
    rule: Presence,
    zone: Mask | None,
    state: EpisodeState,
    result: Result,
    tracks: tuple[Track, ...],
) -> Step:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    seen = sightings(rule, zone, result, tracks, state.counted)
    finding = Finding(bool(seen), seen, seen, evidence(result, seen))
    return advance(rule, Patience(rule.frames), state, result, finding)
