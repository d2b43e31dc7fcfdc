"""``kind: absence``: nobody is in the zone for a time."""

from typing import Literal

from pydantic import ConfigDict, Field

from stream.masks import Mask
from stream.rule_spec import SightingRuleSpec
from stream.rules.episode import EpisodeState, Finding, Patience, Step, advance
from stream.rules.sighting import evidence, sightings
from stream.specs import Duration, duration
from stream.types import Result, Track

NAMED_MAX = 5
"""Labels that the detail of an alert names: it must fit into a body, and nobody reads more."""


class Absence(SightingRuleSpec):
    """Opens when no instance counts for a time."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: Literal["absence"] = "absence"
    lasting: Duration = Field(gt=0, alias="for", description="how long before an alert opens")


def evaluate_absence(
    rule: Absence, zone: Mask | None, state: EpisodeState, result: Result, tracks: tuple[Track, ...]
) -> Step:
    """What the next result of the camera does to the rule. ``zone`` has the result's size."""
    seen = sightings(rule, zone, result, tracks, state.counted)
    told = f"{_whom(rule)} for {duration(rule.lasting)}"
    finding = Finding(not seen, seen, (), evidence(result, ()), told)
    return advance(rule, Patience(lasting_s=rule.lasting), state, result, finding)


def _whom(rule: Absence) -> str:
    """Who is not there: ``nobody``, ``no car or bus``, or ``nothing`` where any label counts."""
    if rule.labels is None:
        return "nothing"
    *others, last = dict.fromkeys(rule.labels)
    if len(others) >= NAMED_MAX:
        return f"none of {len(others) + 1} labels"
    if not others:
        return "nobody" if last == "person" else f"no {last}"
    return f"no {', '.join(others)} or {last}"
