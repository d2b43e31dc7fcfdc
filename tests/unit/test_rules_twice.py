"""A thing that the model finds twice, under two labels or in two boxes, counts once."""

from collections.abc import Iterable

import numpy as np
from pydantic import TypeAdapter

from stream.masks import Mask
from stream.rules import AnyRule, Rule
from stream.types import Alert, Instance, ModelRef, Result
from stream.watching import replay

SIZE = (100, 200)
MODEL = ModelRef("shelf", "0" * 64, "f32")
BOTTLES = {"camera": "shelf", "labels": ["bottle", "vase"]}


def thing(x: int, label: str = "bottle", score: float = 0.6, height: int = 60) -> Instance:
    mask = Mask.from_bitmap(SIZE, np.ones((height, 20), bool), x, 30)
    return Instance(label, score, (x, 30, x + 20, 30 + height), mask)


def at(seq: int, *instances: Instance) -> Result:
    return Result("shelf", 1, seq, seq * 100_000, seq * 100_000, SIZE, MODEL, instances)


def watch(results: Iterable[Result], **settings: object) -> list[Alert]:
    rule: AnyRule = TypeAdapter(Rule).validate_python({"id": "shelf", **BOTTLES, **settings})
    return replay([rule], [], results)


def test_a_bottle_that_is_also_found_as_a_vase_is_one() -> None:
    results = [at(n, thing(20), thing(21, "vase", 0.7), thing(120)) for n in range(3)]
    (alert,) = watch(results, kind="count", at_least=1, **{"for": 0})
    assert alert.evidence is not None
    assert alert.evidence.value == 2


def test_somebody_found_to_the_knees_and_to_the_feet_is_one() -> None:
    results = [at(n, thing(20, height=60), thing(20, height=52)) for n in range(3)]
    assert watch(results, kind="count", at_least=2, **{"for": 0}) == []


def test_what_stands_half_behind_another_counts() -> None:
    results = [at(n, thing(20), thing(30, "vase")) for n in range(3)]
    assert len(watch(results, kind="count", at_least=2, **{"for": 0})) == 1


def test_a_label_that_wavers_begins_no_second_stay() -> None:
    """The vase is surer in every other result, and alone in none."""
    results = [at(n, thing(20), thing(20, "vase", 0.5 + n % 2 / 4)) for n in range(40)]
    (alert,) = watch(results, kind="dwell", duration="2s")
    assert alert.labels == ("bottle",)
