"""The topic ``cameras`` as a `stream.ports.Registry`."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from connectors.kafka.directory import Directory
from connectors.kafka.sharing import Sharing
from stream.specs import CameraSpec

Join = Callable[[], AbstractAsyncContextManager[Sharing]]


class KafkaRegistry:
    """Whoever is given a partition of ``cameras`` runs the cameras whose records go there."""

    def __init__(self, directory: Directory, join: Join) -> None:
        self._directory = directory
        self._join = join

    @property
    def cameras(self) -> Mapping[str, CameraSpec]:
        """As `stream.ports.Registry.cameras`."""
        return self._directory.cameras

    @asynccontextmanager
    async def share(self) -> AsyncIterator[AsyncIterator[Mapping[str, CameraSpec]]]:
        """As `stream.ports.Registry.share`; this process has one."""
        async with self._join() as member:
            try:
                yield self._shares(member)
            finally:
                self._directory.keep(())

    async def _shares(self, member: Sharing) -> AsyncIterator[Mapping[str, CameraSpec]]:
        """A camera that moves within this process comes to rest where it was before it is anywhere
        else. Another process hears by itself that it has moved there.
        """
        running: Mapping[str, CameraSpec] = {}
        while True:
            self._directory.turned.clear()
            if member.was_thought_dead():
                yield {}  # others may have run them since, in later epochs
                running = {}
            mine = member.mine
            wanted = {name: each for name, each in self.cameras.items() if each.partition in mine}
            moved = {name for name, each in running.items() if self._moves(each)}
            if moved:
                wanted = {name: wanted[name] for name in wanted.keys() & running.keys() - moved}
            else:
                self._directory.keep(wanted.keys() | running.keys())
            yield wanted
            self._directory.keep(wanted)
            running = wanted
            if not moved:
                member.release(mine)
                await member.wait()

    def _moves(self, camera: CameraSpec) -> bool:
        now = self.cameras.get(camera.id)
        return now is not None and now.partition != camera.partition
