"""A part of ``segment``, or ``web``, as a process of its own, that finds what is bright.

``python -m tests.support.bright ROLE CONFIG`` starts the role.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from stream.cli.arguments import Part
from stream.cli.jobs import job_of
from stream.cli.kafka_only import settings_of_role
from stream.cli.logs import logged
from stream.cli.pipeline import Common
from stream.cli.roles import play
from stream.cli.web import run_web
from tests.support.models import BrightModel


@asynccontextmanager
async def _opened(_: Common) -> AsyncIterator[BrightModel]:
    yield BrightModel()


def _run_part(role: str, config: Path) -> None:
    with logged(role):
        settings = settings_of_role(config, role)
        part = next(each for each in Part if each.role == role)
        job = job_of(part, settings)
        asyncio.run(play(role, config, job.own(settings), _opened, job=job))


if __name__ == "__main__":
    role, config = sys.argv[1], Path(sys.argv[2])
    if role == "web":
        run_web(config, _opened)
    else:
        _run_part(role, config)
