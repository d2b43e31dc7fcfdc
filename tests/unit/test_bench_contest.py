"""Contestants of a benchmark are processes of their own, and what goes wrong there is told."""

from collections.abc import Callable
from functools import partial

import pytest

from stream.cli.bench.contest import Run, interleave, seated


def counting(rate: float) -> Run:
    rates = iter((rate, 2 * rate))
    return lambda: next(rates)


def adding(first: int) -> Callable[[int], int]:
    return lambda second: first + second


def failing() -> Run:
    raise ValueError("no weights")


def test_contestants_take_turns_and_keep_their_rounds() -> None:
    said: list[str] = []
    starts = {"ours": partial(counting, 5.0), "other": partial(counting, 2.0)}
    assert interleave(starts, 2, said.append) == {"ours": [5.0, 10.0], "other": [2.0, 4.0]}
    assert [line for line in said if "round" in line] == [
        "  round 1/2 ours: 5.0 frames/s", "  round 1/2 other: 2.0 frames/s",
        "  round 2/2 ours: 10.0 frames/s", "  round 2/2 other: 4.0 frames/s",
    ]  # fmt: skip


def test_a_seat_passes_on_what_it_is_given() -> None:
    with seated(partial(adding, 1), partial(adding, 10)) as (one, ten):
        assert (one(2), ten(2), one(3)) == (3, 12, 4)


def test_what_goes_wrong_in_a_process_is_raised_here() -> None:
    with pytest.raises(RuntimeError, match="ValueError: no weights"), seated(failing):
        pass
