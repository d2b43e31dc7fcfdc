"""``kind: coverage``: masks cover a part of the zone for a time."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from stream.masks import Mask, union
from stream.rules.episode import EpisodeState, Finding, Patience, Step, advance
from stream.rules.limit import LimitedRuleSpec, held
from stream.rules.sighting import Sighting, evidence, sightings
from stream.specs import Number
from stream.types import Result, Track


class Coverage(LimitedRuleSpec):
    """Opens when masks together cover at least, or at most, a part of the zone for a time."""

    kind: Literal["coverage"] = "coverage"
    at_least: Number | None = Field(
        None, gt=0, le=1, description="such a part of the zone's pixels, or more"
    )
    at_most: Number | None = Field(
        None, ge=0, lt=1, description="such a part of the zone's pixels, or less"
    )
    overlap: Number = Field(
        0.0, ge=0, le=1, description="part of the instance's mask that lies inside the zone"
    )


def evaluate_coverage(
    rule: Coverage,
    zone: Mask | None,
    state: EpisodeState,
    result: Result,
    tracks: tuple[Track, ...],
) -> Step:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    seen = sightings(rule, zone, result, tracks, state.counted)
    part = covered(zone, result, seen)
    holds, limit = held(rule, part)
    told = evidence(result, seen, round(part, 4))
    finding = Finding(holds, seen, seen, told, f"{part:.2f} covered; {limit}")
    return advance(rule, Patience(lasting_s=rule.lasting), state, result, finding)


def covered(zone: Mask | None, result: Result, seen: Sequence[Sighting]) -> float:
    """The part of the zone's pixels, or of the frame's, that lies in any mask of ``seen``, 0…1."""
    if not seen:
        return 0.0
    masks = union([result.instances[one.instance].mask for one in seen])
    inside = masks.edges if zone is None else zone.before(masks.edges)
    pixels = result.size[0] * result.size[1] if zone is None else zone.area
    return float(inside[1::2].sum() - inside[::2].sum()) / pixels
