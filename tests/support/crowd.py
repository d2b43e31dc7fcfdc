"""Results of drawn people for tests of rules: five pictures a second, a zone on the right."""

from collections.abc import Iterable, Sequence

import numpy as np

from stream.masks import Mask
from stream.rules import RuleState, SightingRule, evaluate
from stream.types import Alert, Instance, ModelRef, Result, Track
from tests.support.states import again

SIZE = (100, 200)
ZONE = Mask.from_polygon(SIZE, np.array([(160, 0), (200, 0), (200, 100), (160, 100)]))
"""40 of 200 columns."""
MODEL = ModelRef("yard", "0" * 64, "f32")
FPS = 5
Shot = tuple[Result, tuple[Track, ...]]


def somebody(
    x: int = 165, label: str = "person", score: float = 0.9, width: int = 10, height: int = 40
) -> Instance:
    """A rectangle that begins at column ``x`` and row 30; at 165 all of it lies in the zone."""
    mask = Mask.from_bitmap(SIZE, np.ones((height, width), bool), x, 30)
    return Instance(label, score, (x, 30, x + width, 30 + height), mask)


def shot(
    seq: int, *instances: Instance, names: str = "abcdefghij", time_s: float | None = None
) -> Shot:
    """A result and its tracks: instances are called by the letters of ``names``, ``.`` is none."""
    time_us = round((seq / FPS if time_s is None else time_s) * 1e6)
    tracks = tuple(
        Track(name, one.label, one.score, one.box, one.mask.contact, (), index)
        for index, (name, one) in enumerate(zip(names, instances, strict=False))
        if name != "."
    )
    return Result("yard", 1, seq, time_us, time_us, SIZE, MODEL, instances, f"f@{seq}"), tracks


def crowd(pattern: str) -> list[Shot]:
    """A result for each sign: a digit is how many stand side by side in the zone, ``-``: a gap."""
    return [
        shot(seq, *[somebody(165 + 3 * place) for place in range(int(sign))])
        for seq, sign in enumerate(pattern)
        if sign != "-"
    ]


def watch(
    rule: SightingRule, shots: Iterable[Shot], zone: Mask | None = ZONE, *, kept: bool = False
) -> list[Alert]:
    """The alerts that come; ``kept``: the state is written and read after each result."""
    state: RuleState | None = None
    alerts: list[Alert] = []
    for result, tracks in shots:
        state, new = evaluate(rule, zone, state, result, tracks)
        state = again(state) if kept else state
        alerts += new
    return alerts


def told(alerts: Sequence[Alert]) -> list[tuple[str, float]]:
    """What changed, and when in seconds."""
    return [(alert.state, alert.time_us / 1e6) for alert in alerts]
