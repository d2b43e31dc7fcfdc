"""A model that sleeps, and ``segment`` as a process of its own with it.

What it can do is set by a clock and not by cores, so what is measured around it is ours.
``python -m stream.cli.bench.sleeping CONFIG BATCH_SIZE SECONDS`` starts the role.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from stream.ports import View, Window
from stream.stages import Spent, untold
from stream.types import Instance, ModelRef, Size


@dataclass(frozen=True)
class Sleep:
    """How a model sleeps: ``seconds`` for each batch of at most ``batch_size``, one at a time."""

    batch_size: int = 8
    seconds: float = 0.1

    @property
    def capacity_per_s(self) -> float:
        """Frames per second when every batch is full."""
        return self.batch_size / self.seconds

    def command(self, config: Path) -> list[str]:
        """What starts a ``segment`` that sleeps like this."""
        words = [str(config), str(self.batch_size), str(self.seconds)]
        return [sys.executable, "-m", "stream.cli.bench.sleeping", *words]


class SleepingModel:
    """A `stream.ports.Model` that finds nothing and takes its time over it, whatever it is shown.

    Like a device it does one batch after another, also where more are asked for.
    """

    labels: tuple[str, ...] = ("nothing",)
    in_flight = 1

    def __init__(self, sleep: Sleep) -> None:
        self.ref = ModelRef("sleeping", "0" * 64, "f32")
        self.batch_size = sleep.batch_size
        self._seconds = sleep.seconds
        self._device = asyncio.Lock()

    def shape(self, window: Window) -> Size:
        """Every window fits every batch."""
        return (32, 32)

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        """Nothing, in each view."""
        async with self._device:
            await asyncio.sleep(self._seconds)
        return [()] * len(batch)


def main(config: Path, sleep: Sleep) -> None:
    """Run ``segment`` as `maskstream segment` does, but for its model."""
    from stream.cli.pipeline import Common
    from stream.cli.roles import run_role

    @asynccontextmanager
    async def opened(_: Common) -> AsyncIterator[SleepingModel]:
        yield SleepingModel(sleep)

    run_role("segment", config, opened)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Sleep(int(sys.argv[2]), float(sys.argv[3])))
