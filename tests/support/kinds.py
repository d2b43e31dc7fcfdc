"""A recording of one camera in which a rule of every kind opens an alert, and ends it."""

from collections.abc import Iterator
from functools import cache

from pydantic import TypeAdapter

from stream.rules import Rule
from stream.specs import ZoneSpec
from stream.types import Alert, CameraHealth, MaskMessage, Result
from stream.watching import replay
from tests.support.build import MODEL, instance
from tests.support.clock import START_US

SIZE = (100, 200)
FPS = 5
LEFT = ZoneSpec(id="left", camera="hall", polygon=((0.0, 0.0), (0.6, 0.0), (0.6, 1.0), (0.0, 1.0)))
RULES = TypeAdapter(tuple[Rule, ...]).validate_python(
    [
        {"id": "comes", "kind": "presence", "zone": "left"},
        {"id": "stays", "kind": "dwell", "zone": "left", "duration": "3s"},
        {"id": "two", "kind": "count", "zone": "left", "at_least": 2, "for": "1s"},
        {"id": "empty", "kind": "absence", "zone": "left", "for": "2s"},
        {"id": "full", "kind": "coverage", "zone": "left", "at_least": 0.05, "for": "1s"},
        {"id": "over", "kind": "crossing", "camera": "hall", "line": [[0.2, 0], [0.2, 1]]},
        {"id": "near", "kind": "contact", "camera": "hall", "labels": ["forklift"],
         "others": ["person"], "within": 0.2},
        {"id": "gone", "kind": "health", "camera": "hall", "conditions": ["lost"], "for": 0,
         "resolve": 0},
    ]
)  # fmt: skip


@cache
def told() -> tuple[Alert, ...]:
    """Every change of every alert, as `RULES` tell of it."""
    return tuple(replay(RULES, [LEFT], recording()))


def recording() -> Iterator[MaskMessage]:
    """Somebody walks in from the left and stays, a forklift comes near them after 12 s, both are
    away from 20 to 25 s, and at last the camera is lost for a second.
    """
    for seq in range(30 * FPS):
        time_s = seq / FPS
        somebody = instance(_box(min(10 + 16 * time_s, 90)), size=SIZE)
        here = [] if 20 <= time_s < 25 else [somebody]
        if 12 <= time_s < 20:
            here.append(instance(_box(103), "forklift", size=SIZE))
        time_us = START_US + round(time_s * 1e6)
        yield Result("hall", 1, seq, time_us, time_us, SIZE, MODEL, tuple(here), f"frames@{seq}")
    for number in range(2):
        time_us = START_US + (30 + number) * 1_000_000
        lost = number == 0
        yield CameraHealth("hall", 1, 30 * FPS, time_us, "lost", lost, time_us, "it is silent")


def _box(left: float) -> tuple[int, int, int, int]:
    x = round(left)
    return x, 30, x + 12, 80
