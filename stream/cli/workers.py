"""``maskstream segment --workers N``: as many processes, each a whole ``segment``.

The process that starts them does no work itself. It answers probes for all and stops all; where one
dies the others finish what they hold, and everything ends: who starts it anew (Kubernetes) is
outside.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from connectors.health import serve_probes
from connectors.workers import Command, Worker, Workers, started
from stream.cli.arguments import Part
from stream.cli.embedded import LEAVING_S, beside
from stream.cli.kafka_only import settings_of_role
from stream.cli.logs import logged
from stream.cli.stop import stop_on_signals
from stream.config import Settings
from stream.errors import EXIT_FORCED, EXIT_OK, ConfigError, DrainTimeoutError

CLOSING_S = 5.0
"""After its own deadline, for a worker to leave its groups and to close its model."""

_log = logging.getLogger(__name__)


def run_workers(config: Path, count: int, part: Part = Part.WHOLE) -> int:
    """Run ``count`` segments until a signal comes, or until one ends; returns the exit code.

    That is 0 if all finished what they held, else the code of the first that did not. None is a
    fault, and so are more than there are partitions: those would have nothing to do.
    """
    with logged(part.role):
        settings = settings_of_role(config, part.role)
        most = settings.kafka.partitions
        if not 1 <= count <= most:
            raise ConfigError(
                f"--workers: given {count}; allowed: 1 to {most}, the kafka.partitions of {config}"
            )
        command = partial(_command, part, config)
        return asyncio.run(_run(part.role, command, settings, count))


def _command(part: Part, config: Path, number: int, channel: int) -> Sequence[str]:
    # -P: the folder that we happen to be in must not stand in for an installed package.
    module = ("-P", "-m", "stream.cli.worker")
    return [sys.executable, *module, str(number), str(channel), part, str(config)]


async def _run(name: str, command: Command, settings: Settings, count: int) -> int:
    async with started(command, count) as workers:

        def force() -> None:
            workers.kill()
            os._exit(EXIT_FORCED)

        with stop_on_signals(force) as stop:
            async with serve_probes(workers, settings.health) as url:
                _log.info("%s: probes on %s", name, url)
                for worker in workers.all:
                    _log.info("%s: %s is process %d", name, worker.name, worker.pid)
                code = await until_ended(workers, stop, settings.drain + LEAVING_S + CLOSING_S)
    _log.info("%s: stopped", name)
    return code


async def until_ended(workers: Workers, stop: asyncio.Event, drain_s: float) -> int:
    """The exit code of all, once all have ended. The end of one is the stop of the others."""
    codes: list[int] = []

    async def follow(worker: Worker) -> None:
        codes.append(await worker.ended())
        if not stop.is_set() or codes[-1] != EXIT_OK:
            rest = "" if stop.is_set() else "; the others finish what they hold"
            _log.error("segment: %s %s%s", worker.name, await worker.end(), rest)
        stop.set()

    async with beside(_stop(workers, stop, drain_s)), asyncio.TaskGroup() as group:
        for worker in workers.all:
            group.create_task(follow(worker))
    return next(filter(None, codes), EXIT_OK)


async def _stop(workers: Workers, stop: asyncio.Event, drain_s: float) -> None:
    await stop.wait()
    workers.stop()
    await asyncio.sleep(drain_s)
    raise DrainTimeoutError(f"segment: a worker had not ended {drain_s:g} s after the stop")
