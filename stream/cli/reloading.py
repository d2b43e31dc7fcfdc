"""``memory://``: the cameras and rules of the configuration, read again when its file changes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from stream.cli.editing import Edits, changes, take_rules
from stream.config import Settings
from stream.registry import by_id
from stream.rulebook import Rulebook
from stream.specs import CameraSpec


class Reloaded:
    """A `stream.ports.Registry` of a configuration file: all of it is this process's.

    Its rules and zones go into ``rulebook``. What else has changed is told to need a restart.
    """

    def __init__(self, edits: Edits, settings: Settings, rulebook: Rulebook) -> None:
        self._edits = edits
        self._running = settings
        self._rulebook = rulebook

    @property
    def cameras(self) -> Mapping[str, CameraSpec]:
        """As `stream.ports.Registry.cameras`."""
        return by_id(self._running.cameras)

    @asynccontextmanager
    async def share(self) -> AsyncIterator[AsyncIterator[Mapping[str, CameraSpec]]]:
        """As `stream.ports.Registry.share`."""
        yield self._shares()

    async def _shares(self) -> AsyncIterator[Mapping[str, CameraSpec]]:
        while True:
            yield self.cameras
            while not await self._has_changed():
                pass

    async def _has_changed(self) -> bool:
        """Whether there are other cameras now, after a look at the file."""
        found = await self._edits.look()
        return found is not None and self._take_over(found)

    def _take_over(self, found: Settings) -> bool:
        before = self._running
        running, lines = take_rules(before, found, self._rulebook)
        cameras = changes("cameras", before.cameras, found.cameras)
        self._edits.taken(lines + (["; ".join(cameras)] if cameras else []), found)
        self._running = running.model_copy(update={"cameras": found.cameras})
        self._edits.tell_of_others(before, self._running, found)
        return bool(cameras)
