"""One of the processes of ``maskstream segment --workers N``: a whole ``segment``.

``python -m stream.cli.worker NUMBER DESCRIPTOR PART CONFIG``; the descriptor is a socket to the
parent.
"""

import asyncio
import sys
from pathlib import Path

from stream.cli.arguments import Part
from stream.cli.jobs import job_of
from stream.cli.kafka_only import settings_of_role
from stream.cli.logs import logged
from stream.cli.parent import Parent
from stream.cli.roles import play_segment
from stream.cli.stop import end_on_signals
from stream.specs import HealthSpec


async def _work(descriptor: int, part: Part, config: Path) -> None:
    parent = Parent(descriptor)
    own = {"health": HealthSpec()}  # on loopback, at any port: the parent asks and answers for all
    settings = settings_of_role(config, part.role).model_copy(update=own)
    await play_segment(job_of(part, settings), config, settings, parent)


def main(number: str, descriptor: str, part: str, config: str) -> None:
    """Run a ``segment``; what it says is told apart by its number."""
    end_on_signals()
    with logged(Part(part).role, worker=int(number)):
        asyncio.run(_work(int(descriptor), Part(part), Path(config)))


if __name__ == "__main__":
    main(*sys.argv[1:])
