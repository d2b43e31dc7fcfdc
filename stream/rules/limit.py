"""What kinds share that hold a measure against a limit for a time."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from stream.rule_spec import SightingRuleSpec
from stream.specs import Duration


class LimitedRuleSpec(SightingRuleSpec):
    """A rule with one limit, ``at_least`` or ``at_most``, which its kind gives a type."""

    model_config = ConfigDict(serialize_by_alias=True)

    at_least: float | None
    at_most: float | None
    lasting: Duration = Field(5.0, ge=0, alias="for", description="how long before an alert opens")

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            given = "neither" if self.at_least is None else "both"
            text = f"given {given} of at_least and at_most; allowed: one of them"
            raise PydanticCustomError("fault", text)
        return self


def held(rule: LimitedRuleSpec, measured: float) -> tuple[bool, str]:
    """Whether ``measured`` is what the rule looks for, and its limit in words."""
    if rule.at_least is not None:
        return measured >= rule.at_least, f"at least {rule.at_least:g}"
    assert rule.at_most is not None
    return measured <= rule.at_most, f"at most {rule.at_most:g}"
