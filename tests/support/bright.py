"""``segment`` as a process of its own, that finds what is bright.

``python -m tests.support.bright CONFIG`` starts the role.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from stream.cli.pipeline import Common
from stream.cli.roles import run_role
from tests.support.models import BrightModel


@asynccontextmanager
async def _opened(_: Common) -> AsyncIterator[BrightModel]:
    yield BrightModel()


if __name__ == "__main__":
    run_role("segment", Path(sys.argv[1]), _opened)
