"""The network alone, as fast as torch runs it, and with what follows it on the device."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from stream.cli.bench.gpu.case import Case
from stream.cli.bench.gpu.pictures import letterboxed
from stream.cli.bench.gpu.shifts import LeftOut, Shift, fitting, settle, shift

Tensor = Any
Step = Callable[[], object]
Prepare = Callable[[], Step]
Round = Callable[[int], Shift | LeftOut]
"""Works with batches of a size for as long as the case says."""

LEAST_TRIES = 3
TRY_S = 0.5
BURST = 32
"""Steps that a card is given at a time: it never waits, and never has more than these to do."""


def network(case: Case) -> Round:
    """One input again and again, which lies on the device, in the mode that is fastest there."""
    import torch

    from connectors.models.artefact import read
    from connectors.models.torch_network import TorchNetwork
    from connectors.models.torch_streams import open_stream

    runs = TorchNetwork(read(case.folder), case.scale.batches)
    stream = open_stream(runs.device)
    inputs, _ = letterboxed(case.pictures, case.scale.batches[-1])
    pictures = stream.run(lambda: torch.from_numpy(inputs).to(runs.device))
    ways: dict[str, Callable[[Tensor], object]] = {"eager": runs.run}
    if case.scale.compile:
        ways["torch.compile"] = torch.compile(runs.run, dynamic=False)
    chosen: dict[int, tuple[str, Step, str]] = {}
    burst = BURST if runs.device.type == "cuda" else 1

    def modes(batch: int) -> Iterator[tuple[str, Prepare]]:
        for name, way in ways.items():
            step = partial(way, pictures[:batch])
            yield name, partial(_as_is, step)
            if runs.device.type == "cuda":
                yield f"{name}, CUDA graph", partial(stream.captured, step)

    def run(batch: int) -> Shift:
        if batch not in chosen:
            chosen[batch] = _fastest(modes(batch), stream.run, burst)
        mode, step, failed = chosen[batch]
        work = partial(_repeat, step, batch, burst, case.scale.seconds)
        return shift(lambda: stream.run(work), mode, failed)

    return fitting(run)


def _as_is(step: Step) -> Step:
    return step


def _fastest(
    modes: Iterator[tuple[str, Prepare]],
    on_stream: Callable[[Callable[[], Any]], Any],
    burst: int,
) -> tuple[str, Step, str]:
    """The mode that takes least time, its step, and the modes that did not work.

    Raises what the first one raised where none does.
    """
    steps: dict[str, Step] = {}
    times: dict[str, float] = {}
    errors: dict[str, Exception] = {}
    for name, prepare in modes:
        try:
            steps[name] = on_stream(prepare)
            times[name] = on_stream(partial(_best_s, steps[name], burst))
        except Exception as error:  # a compiler has many ways to say that it cannot
            errors[name] = error
    if not times:
        raise next(iter(errors.values()))
    best = min(times, key=lambda name: times[name])
    failed = "; ".join(f"{name}: {type(error).__name__}" for name, error in errors.items())
    return best, steps[best], failed


def _best_s(step: Step, burst: int) -> float:
    """The least that so many steps took; the first one, which may compile, is not counted."""
    step()
    settle()
    taken: list[float] = []
    while len(taken) < LEAST_TRIES or sum(taken) < TRY_S:
        began = time.perf_counter()
        for _ in range(burst):
            step()
        settle()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _repeat(step: Step, batch: int, burst: int, seconds: float) -> int:
    began, frames = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for _ in range(burst):
            step()
        settle()
        frames += burst * batch
    return frames


def detecting(case: Case) -> Round:
    """Letterboxed pictures on the host to finished detections there, in as many places at once as
    the product has.
    """
    from connectors.models.artefact import read
    from connectors.models.torch_network import TorchNetwork

    runs = TorchNetwork(read(case.folder), case.scale.batches)
    slots = [runs.slot(case.shape) for _ in range(runs.in_flight)]
    inputs, queries = letterboxed(case.pictures, case.scale.batches[-1])
    for slot in slots:
        slot.pictures[:] = inputs
    prepared: set[int] = set()

    def run(batch: int) -> Shift:
        asked = queries[:batch]
        if batch not in prepared:
            for slot in slots:
                slot.detect(asked)
                slot.detect(asked)  # with room for what the first found
            prepared.add(batch)

        def work() -> int:
            step = [partial(slot.detect, asked) for slot in slots]
            with ThreadPoolExecutor(len(slots)) as threads:
                each = partial(_repeat_alone, batch=batch, seconds=case.scale.seconds)
                return sum(threads.map(each, step))

        return shift(work)

    return fitting(run)


def _repeat_alone(step: Step, batch: int, seconds: float) -> int:
    """As `_repeat`, for a step that waits for itself: others work on the device meanwhile."""
    began, frames = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        step()
        frames += batch
    return frames
