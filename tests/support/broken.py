"""``segment`` as a process of its own, whose device fails for good while it works.

``python -m tests.support.broken CONFIG BATCHES`` starts the role: so many batches are answered,
then every call fails, and what waits for the device, as its threads do, waits for ever.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from stream.cli.pipeline import Common
from stream.cli.roles import run_role
from stream.errors import DeviceError
from stream.ports import View
from stream.stages import Spent, untold
from stream.types import Instance
from tests.support.models import BrightModel


class BreakingModel(BrightModel):
    """Answers so many batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._left = batches

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        """As `BrightModel`, for a while."""
        self._left -= 1
        if self._left < 0:
            raise DeviceError("an illegal memory access was encountered")
        return await super().segment(batch, spent)


def main(config: Path, batches: int) -> None:
    """Run ``segment`` as `maskstream segment` does, but for its model."""

    @asynccontextmanager
    async def opened(_: Common) -> AsyncIterator[BreakingModel]:
        try:
            yield BreakingModel(batches)
        finally:
            await asyncio.to_thread(time.sleep, 3600)

    run_role("segment", config, opened)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
