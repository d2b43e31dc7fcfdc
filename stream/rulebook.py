"""The rules and zones that hold now; they may be exchanged while everything runs."""

from collections.abc import Sequence

from stream.rule_spec import ClipSpec
from stream.rules import AnyRule
from stream.specs import ZoneSpec
from stream.watching import Plans, plans


class Rulebook:
    """The rules and zones that hold now.

    ``plans`` is one object for good: who watches looks each message's camera up in it, and so
    judges it by what holds then. A rule that is gone or changed leaves no alert open behind it.
    Raises `ConfigError` as `stream.watching.plans` does; what held before then holds on.
    """

    def __init__(self, rules: Sequence[AnyRule], zones: Sequence[ZoneSpec]) -> None:
        self.rules, self.zones = tuple(rules), tuple(zones)
        self.plans: Plans = plans(rules, zones)

    def replace(self, rules: Sequence[AnyRule], zones: Sequence[ZoneSpec]) -> None:
        """From now on these hold."""
        self.plans.replace(plans(rules, zones))
        self.rules, self.zones = tuple(rules), tuple(zones)

    def clip(self, rule: str) -> ClipSpec | None:
        """The clip that a rule asks for, if there is such a rule and it does."""
        return next((each.clip for each in self.rules if each.id == rule), None)
