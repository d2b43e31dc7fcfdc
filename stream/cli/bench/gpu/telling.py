"""What the rounds of a case came to: tables, a plot, and the figures that are kept."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stream.cli.bench.gpu.case import Case
from stream.cli.bench.gpu.turns import LOAD, NETWORK, RIVAL, Measured, Rounds, workers_name
from stream.cli.bench.report import Report

NOT_TAKEN = "—"
CAMERA_FPS = 10
LEGEND = (
    f"  p50, p99: age of results at {LOAD:.0%} of the rate",
    "  MB: of the card's memory, held by torch; W: what the card draws",
    "  cores: of the CPU, for 1,000 frames/s",
    f"  cameras: of {CAMERA_FPS} frames/s, at {LOAD:.0%} of the rate",
)

Of = Callable[[Measured], float | None]


def tell(report: Report, case: Case, rounds: Rounds) -> None:
    """Print two tables and draw the rates."""
    rates = [
        [
            *_name(key, of),
            _spread([each.rate for each in of], 1),
            NOT_TAKEN if (alone := rounds.get((NETWORK, key[1]))) is None
            else _spread([each.rate / other.rate for each, other in zip(of, alone, strict=True)]),
        ]
        for key, of in rounds.items()
    ]  # fmt: skip
    report.table(["", "batch", "frames/s", "/ network alone"], rates)
    costs = [
        [*_name(key, of), *(_cost(of, *each) for each in _COSTS), _cameras(of)]
        for key, of in rounds.items()
    ]
    report.say("")
    report.table(["", "batch", "p50 ms", "p99 ms", "MB", "W", "cores", "cameras"], costs)
    for line in LEGEND:
        report.say(line)
    _draw(report, case, rounds)


# What a process holds grows with the sizes it has done: in the first round those up to this one.
_COSTS: tuple[tuple[Of, Callable[[Sequence[float]], Any], int], ...] = (
    (lambda each: each.p50_ms, np.median, 1),
    (lambda each: each.p99_ms, np.median, 1),
    (lambda each: each.memory_mb, min, 0),
    (lambda each: each.watts, np.median, 0),
    (lambda each: each.cores_per_1000, np.median, 2),
)


def _name(key: tuple[str, int], of: Sequence[Measured]) -> list[str]:
    name, batch = key
    return [f"{name} ({of[0].mode})" if of[0].mode else name, str(batch)]


def _spread(values: Sequence[float], digits: int = 2) -> str:
    median, low, high = np.median(values), min(values), max(values)
    return f"{median:.{digits}f} ({low:.{digits}f}…{high:.{digits}f})"


def _cost(
    of: Sequence[Measured], figure: Of, over: Callable[[Sequence[float]], Any], digits: int
) -> str:
    taken = [value for each in of if (value := figure(each)) is not None]
    return f"{over(taken):.{digits}f}" if taken else NOT_TAKEN


def _cameras(of: Sequence[Measured]) -> str:
    """Cameras that so much of the role serves with results at the age shown."""
    if of[0].p50_ms is None:
        return NOT_TAKEN
    return str(int(LOAD * float(np.median([each.rate for each in of])) / CAMERA_FPS))


def _draw(report: Report, case: Case, rounds: Rounds) -> None:
    curves: dict[str, list[tuple[float, float]]] = {}
    for (name, batch), of in sorted(rounds.items(), key=lambda each: each[0][1]):
        curves.setdefault(name, []).append((batch, float(np.median([each.rate for each in of]))))
    height, width = case.shape
    name = f"gpu-{case.network}-{width}x{height}"
    report.lines(name, case.title, ("pictures in a batch", "frames/s"), curves, doubles=True)


def keep(report: Report, case: Case, rounds: Rounds) -> None:
    """Keep the figures of n or m at its best, against others at theirs; what was not taken is not
    there.
    """
    roles = [workers_name(count) for count in case.scale.workers]
    ours = _best(rounds, roles)
    if ours is None:
        return
    if case.network == "yolov8m-seg" and (alone := _best(rounds, [NETWORK])):
        report.ratio("gpu.m_role_vs_network", _rates(ours), _rates(alone))
    if case.network != "yolov8n-seg":
        return
    if other := _best(rounds, [RIVAL]):
        report.ratio("gpu.vs_ultralytics", _rates(ours), _rates(other))
    report.figure("gpu.frames_per_s", float(np.median(_rates(ours))))
    report.figure("gpu.p99_ms", float(np.median([each.p99_ms or np.nan for each in ours])))
    report.figure("gpu.cores_per_1000", float(np.median([each.cores_per_1000 for each in ours])))


def _best(rounds: Rounds, names: Sequence[str]) -> Sequence[Measured] | None:
    """The rounds of the fastest of ``names`` with the batches that suit it best."""
    theirs = [of for (name, _), of in rounds.items() if name in names]
    return max(theirs, key=lambda of: np.median(_rates(of)), default=None)


def _rates(of: Sequence[Measured]) -> list[float]:
    return [each.rate for each in of]
