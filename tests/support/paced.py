"""``segment --mode live`` as a process of its own, with a model that sleeps.

What it is able to do is measured at its start, as with any model, and set by a clock.

``python -m tests.support.paced CONFIG BATCH_SIZE SECONDS`` starts it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from stream import segment
from stream.cli.bench.sleeping import Sleep, SleepingModel
from stream.cli.jobs import Job
from stream.cli.kafka_only import settings_of_role
from stream.cli.leaving import Leaving
from stream.cli.logs import logged
from stream.cli.pipeline import Common, measure_capacity
from stream.cli.roles import play


def main(config: Path, sleep: Sleep) -> None:
    """Run it until a signal comes."""

    @asynccontextmanager
    async def opened(common: Common) -> AsyncIterator[SleepingModel]:
        model = SleepingModel(sleep)
        await measure_capacity(common, Leaving(model))
        yield model

    job = Job(reads=(segment.LIVE,))
    with logged(job.name):
        settings = settings_of_role(config, "segment")
        asyncio.run(play(job.name, config, settings, opened, job=job))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Sleep(int(sys.argv[2]), float(sys.argv[3])))
