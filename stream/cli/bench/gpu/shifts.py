"""How long a contestant works, and what it takes of the machine meanwhile."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import ParamSpec

import numpy as np

from stream.errors import OutOfMemoryError

_P = ParamSpec("_P")

SAMPLE_S = 0.1


@dataclass(frozen=True)
class Shift:
    """One process for a while: ``frames`` in ``seconds``, with ``cpu_s`` of processor time.

    ``memory_mb`` is the most that torch ever held of the device's memory in the process, without
    CUDA's own; ``watts`` is what the card drew; both None where that cannot be known. ``mode`` is
    how it ran where there was a choice, and ``failed`` which choices did not work. ``ages_ms`` are
    those of results, where they were looked at.
    """

    frames: int
    seconds: float
    cpu_s: float
    memory_mb: float | None
    watts: float | None
    mode: str = ""
    failed: str = ""
    ages_ms: tuple[float, ...] = ()

    @property
    def rate(self) -> float:
        """Frames per second."""
        return self.frames / self.seconds


@dataclass(frozen=True)
class LeftOut:
    """Nothing was measured, and why."""

    reason: str


def device_name() -> str:
    """The card's own name; ``cpu`` without one."""
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else "cpu"


def shift(work: Callable[[], int], mode: str = "", failed: str = "") -> Shift:
    """Do ``work``, which returns how many frames are through when it does."""
    with _power() as drawn:
        began, cpu = time.perf_counter(), time.process_time()
        frames = work()
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    # NVML averages over up to a second: the first half still knows of what was before.
    late = drawn[len(drawn) // 2 :]
    watts = float(np.mean(late)) if late else None
    return Shift(frames, seconds, cpu_s, _memory_mb(), watts, mode, failed)


def fitting(run: Callable[_P, Shift]) -> Callable[_P, Shift | LeftOut]:
    """``run``, but a batch that the device has no memory for is left out."""
    from connectors.models.device_errors import on_device

    def tried(*given: _P.args, **named: _P.kwargs) -> Shift | LeftOut:
        try:
            return on_device(lambda: run(*given, **named))
        except OutOfMemoryError as error:
            return LeftOut(str(error))

    return tried


def settle() -> None:
    """Return when the device is through with all that was asked of it."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _memory_mb() -> float | None:
    import torch

    return torch.cuda.max_memory_reserved() / 1e6 if torch.cuda.is_available() else None


@contextmanager
def _power() -> Iterator[list[float]]:
    """What the card draws, in W, over and over; nothing where it does not say."""
    drawn: list[float] = []
    over = Event()

    def watch() -> None:
        while not over.wait(SAMPLE_S) and (watts := _watts()) is not None:
            drawn.append(watts)

    thread = Thread(target=watch)
    thread.start()
    try:
        yield drawn
    finally:
        over.set()
        thread.join()


def _watts() -> float | None:
    import torch

    if not torch.cuda.is_available():
        return None
    try:
        return float(torch.cuda.power_draw(0)) / 1e3
    except Exception:  # NVML is not there, or does not tell this of such a card: it has many ways
        return None
