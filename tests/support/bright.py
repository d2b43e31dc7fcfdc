"""``segment`` or ``web`` as a process of its own, that finds what is bright.

``python -m tests.support.bright ROLE CONFIG`` starts the role.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from stream.cli.pipeline import Common
from stream.cli.roles import run_role
from stream.cli.web import run_web
from tests.support.models import BrightModel


@asynccontextmanager
async def _opened(_: Common) -> AsyncIterator[BrightModel]:
    yield BrightModel()


if __name__ == "__main__":
    role, config = sys.argv[1], Path(sys.argv[2])
    if role == "web":
        run_web(config, _opened)
    else:
        run_role(role, config, _opened)
