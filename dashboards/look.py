"""Colours, levels and words: what is red to one person is red to all.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), which people without red, green
or blue cones tell apart. A state is never told by its colour alone: it has a word as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

GOOD = "#0072B2"
NOTICE = "#56B4E9"
WARNING = "#E69F00"
BAD = "#D55E00"
QUIET = "#595959"

QUANTILES: Mapping[str, str] = {"p50": "#56B4E9", "p95": "#E69F00", "p99": "#D55E00"}
"""The colour of each line of a latency."""


@dataclass(frozen=True, slots=True)
class Levels:
    """From which value on a panel is orange, and from which it is red, in the panel's unit.

    ``base`` is its colour below.
    """

    warning: float | None = None
    bad: float | None = None
    base: str = GOOD

    def steps(self) -> list[model.Threshold]:
        """As Grafana has them: the first holds from minus infinity on."""
        found = [model.Threshold(value=None, color=self.base)]
        if self.warning is not None:
            found.append(model.Threshold(value=self.warning, color=WARNING))
        if self.bad is not None:
            found.append(model.Threshold(value=self.bad, color=BAD))
        return found

    def built(self) -> build.ThresholdsConfig:
        """For a panel."""
        return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(self.steps())


PLAIN = Levels(base=NOTICE)
"""For what is neither good nor bad."""


def words(said: Mapping[int, tuple[str, str]]) -> list[model.ValueMapping]:
    """Words and colours in place of numbers."""
    options = {
        str(value): model.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(said.items())
    }
    return [model.ValueMap(options=options)]


HEALTH: Mapping[int, tuple[str, str]] = {
    0: ("ended", QUIET),
    1: ("live", GOOD),
    2: ("live, but ill", "#F0E442"),
    3: ("connecting", WARNING),
    4: ("lost", BAD),
    5: ("failed", "#CC79A7"),
}
"""What rules/recording.yaml makes of a camera's state and conditions, the worst highest."""
