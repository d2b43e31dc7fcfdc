"""Contestants of a case take turns: in each round, with each size of batches, each once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from stream.cli.bench.contest import seated
from stream.cli.bench.gpu import alone, rival, role
from stream.cli.bench.gpu.case import Case
from stream.cli.bench.gpu.shifts import LeftOut, Shift

NETWORK = "network alone"
DETECT = "network to detections"
RIVAL = "ultralytics predict"
LOAD = 0.7
"""Part of the rate it reached at which a worker is asked how old its results are."""


@dataclass(frozen=True)
class Measured:
    """A round of a contestant, over all its processes. What was not taken is None."""

    rate: float
    cores_per_1000: float
    memory_mb: float | None
    watts: float | None
    mode: str
    failed: str
    p50_ms: float | None = None
    p99_ms: float | None = None


Rounds = Mapping[tuple[str, int], Sequence[Measured]]
"""By contestant and batch; in all rounds or, where a batch found no memory, not at all."""
Turn = Callable[[int], Measured | LeftOut]


def workers_name(count: int) -> str:
    """What the role with so many processes is called."""
    return f"segment, {count} worker{'s' if count > 1 else ''}"


def take_turns(case: Case, rounds: int, say: Callable[[str], None]) -> Rounds:
    """Everybody's rounds. Of made-up weights the network alone runs: it is all that they show."""
    singles: dict[str, Callable[[Case], Any]] = {NETWORK: alone.network}
    workers = 0
    if not case.made_up:
        singles |= {DETECT: alone.detecting, RIVAL: rival.predicting}
        workers = max(case.scale.workers)
    starts = [*singles.values(), *[role.worker] * workers]
    say(f"  starting {', '.join(singles)}; processes of segment: {workers}")
    with seated(*(partial(start, case) for start in starts)) as seats:
        turns: dict[str, Turn] = {
            name: partial(_single, seat) for name, seat in zip(singles, seats, strict=False)
        }
        for count in case.scale.workers if workers else ():
            turns[workers_name(count)] = partial(together, seats[len(singles) :][:count])
        return taken(turns, case.scale.batches, rounds, say)


def taken(
    turns: Mapping[str, Turn], batches: Sequence[int], rounds: int, say: Callable[[str], None]
) -> Rounds:
    """Batches grow, so that what a process holds of memory is what this size and less took."""
    found: defaultdict[tuple[str, int], list[Measured]] = defaultdict(list)
    left_out = set()
    for number in range(1, rounds + 1):
        for key in ((name, batch) for batch in batches for name in turns):
            if key in left_out:
                continue
            name, batch = key
            answer = turns[name](batch)
            if isinstance(answer, LeftOut):
                say(f"  left out: {name}, batches of {batch}: {answer.reason}")
                left_out.add(key)
                found.pop(key, None)
                continue
            found[key].append(answer)
            mode = f" ({answer.mode})" if answer.mode else ""
            say(f"  round {number}/{rounds} {name}{mode}, {batch}: {answer.rate:.1f} frames/s")
            if answer.failed and number == 1:
                say(f"  did not work: {answer.failed}")
    return found


def _single(seat: Callable[..., Any], batch: int) -> Measured | LeftOut:
    answer = seat(batch)
    return answer if isinstance(answer, LeftOut) else _measured([answer], [])


def together(seats: Sequence[Callable[..., Any]], batch: int) -> Measured | LeftOut:
    """All at once, as fast as they can, and then at a part of that.

    Before, each gets ready while the others rest: nobody works alone, nor beside one that compiles.
    """
    ready = [seat(batch, 0.0) for seat in seats]
    with ThreadPoolExecutor(len(seats)) as threads:

        def work(loads: Sequence[float | None]) -> list[Shift | LeftOut]:
            return list(threads.map(lambda seat, load: seat(batch, load), seats, loads))

        if missing := _missing(ready) or _missing(full := work([None] * len(seats))):
            return missing
        if missing := _missing(light := work([LOAD * each.rate for each in _shifts(full)])):
            return missing
    return _measured(_shifts(full), [age for each in _shifts(light) for age in each.ages_ms])


def _missing(answers: Sequence[Shift | LeftOut]) -> LeftOut | None:
    return next((each for each in answers if isinstance(each, LeftOut)), None)


def _shifts(answers: Sequence[Shift | LeftOut]) -> list[Shift]:
    return [each for each in answers if isinstance(each, Shift)]


def _measured(shifts: Sequence[Shift], ages_ms: Sequence[float]) -> Measured:
    """Processes of one contestant: rates, memory and processor time add up; the card is one."""
    frames = sum(each.frames for each in shifts)
    memory = [each.memory_mb for each in shifts if each.memory_mb is not None]
    watts = [each.watts for each in shifts if each.watts is not None]
    p50_ms, p99_ms = np.quantile(ages_ms, (0.5, 0.99)) if ages_ms else (None, None)
    return Measured(
        rate=sum(each.rate for each in shifts),
        cores_per_1000=1000 * sum(each.cpu_s for each in shifts) / frames,
        memory_mb=sum(memory) if memory else None,
        watts=float(np.mean(watts)) if watts else None,
        mode=shifts[0].mode,
        failed=shifts[0].failed,
        p50_ms=p50_ms,
        p99_ms=p99_ms,
    )
