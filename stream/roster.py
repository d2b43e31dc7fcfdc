"""Which cameras run here: a task each, and of a change the difference alone."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any, NamedTuple

from stream.context import about
from stream.ports import Registry
from stream.registry import has_an_end
from stream.specs import CameraSpec

_log = logging.getLogger(__name__)

Live = Callable[[CameraSpec], Coroutine[Any, Any, None]]
"""Runs a camera until it has ended; when it is cancelled, it puts the camera to rest."""
Left = Callable[[CameraSpec], Awaitable[None]]
"""Hears of a camera that was put to rest here and is not begun anew."""


class _Run(NamedTuple):
    camera: CameraSpec
    task: asyncio.Task[None]


class Roster:
    """Lets the cameras live that ``registry`` gives this process."""

    def __init__(self, registry: Registry, live: Live, left: Left) -> None:
        self._registry = registry
        self._live = live
        self._left = left
        self._runs: dict[str, _Run] = {}
        self._turned = asyncio.Event()
        """A camera has ended, or which ones run has changed."""
        self._is_changing = True
        """Some are at rest that are still to be begun."""

    async def run(self) -> None:
        """Return when all cameras of this process have ended, and the others' will as well.

        Where another process may yet leave a camera to this one, it goes on. Its share is given
        up once every camera is at rest.
        """
        async with self._registry.share() as shares, asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self._follow(shares, tasks), name="roster")
            following.add_done_callback(self._turn)
            while not self._is_over(following.done()):
                self._turned.clear()
                await self._turned.wait()
            following.cancel()

    async def _follow(
        self, shares: AsyncIterator[Mapping[str, CameraSpec]], tasks: asyncio.TaskGroup
    ) -> None:
        async for wanted in shares:
            self._is_changing = True
            running = {name: run.camera for name, run in self._runs.items()}
            stopped, begun = difference(running, wanted)
            await self._stop(stopped)
            for name in stopped - wanted.keys():
                with about(camera=name):
                    await self._left(running[name])
            for name in begun:
                task = tasks.create_task(self._run(wanted[name]), name=f"ingest {name}")
                task.add_done_callback(self._turn)
                self._runs[name] = _Run(wanted[name], task)
            counts = len(self._runs), len(begun), len(stopped)
            _log.info("cameras that run here: %d; %d begun, %d stopped", *counts)
            self._is_changing = False
            self._turned.set()

    async def _run(self, camera: CameraSpec) -> None:
        with about(camera=camera.id):
            await self._live(camera)

    async def _stop(self, names: Collection[str]) -> None:
        tasks = {self._runs.pop(name).task for name in names}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _turn(self, _: asyncio.Task[None]) -> None:
        self._turned.set()

    def _is_over(self, is_settled: bool) -> bool:
        """Whether nothing will run here any more; ``is_settled``: no change will come."""
        if self._is_changing or not all(run.task.done() for run in self._runs.values()):
            return False
        cameras = self._registry.cameras
        others = (cameras[name] for name in cameras.keys() - self._runs.keys())
        return is_settled or (bool(self._runs) and all(map(has_an_end, others)))


def difference(
    running: Mapping[str, CameraSpec], wanted: Mapping[str, CameraSpec]
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Which cameras to stop, and which to begin then: one that is unchanged is in neither."""
    stopped = frozenset(name for name, camera in running.items() if wanted.get(name) != camera)
    begun = (name for name in wanted if name in stopped or name not in running)
    return stopped, tuple(begun)
