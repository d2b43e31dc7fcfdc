"""``memory://``: the cameras of the configuration, read again when its file changes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from stream.config import Settings, check_files, check_labels, load
from stream.errors import ConfigError
from stream.metrics import Metrics
from stream.ports import Clock
from stream.registry import by_id
from stream.specs import CameraSpec

LOOK_S = 0.5
"""How often the file is looked at. It is read once it was the same for two looks, as an editor may
be seen half way."""

_Mark = tuple[int, int, int] | None
_NEVER = (-1, -1, -1)
_log = logging.getLogger(__name__)


class Reloaded:
    """A `stream.ports.Registry` of a configuration file: all of it is this process's.

    A file that `run` would refuse, with a model that knows ``labels``, changes nothing. Only
    ``cameras`` are taken over; what else has changed is told to need a restart.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        labels: Sequence[str],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._path = path
        self._settings = settings
        self._labels = labels
        self._clock = clock
        self._metrics = metrics
        self._read: _Mark = _NEVER
        """The file that was read last, right or wrong. At first it is read once more: it may be
        another since ``settings`` were."""

    @property
    def cameras(self) -> Mapping[str, CameraSpec]:
        """As `stream.ports.Registry.cameras`."""
        return by_id(self._settings.cameras)

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
        seen = _mark(self._path)
        await self._clock.sleep(LOOK_S)
        if seen == self._read or seen != _mark(self._path):
            return False
        self._read = seen
        try:
            found = await asyncio.to_thread(_checked, self._path, self._labels)
        except ConfigError as error:
            self._metrics.reloads.labels("refused").inc()
            _log.error("%s is not taken over, the cameras stay as they are:\n%s", self._path, error)
            return False
        return self._take_over(found)

    def _take_over(self, found: Settings) -> bool:
        before = self._settings
        other = [
            name
            for name in Settings.model_fields
            if name != "cameras" and getattr(found, name) != getattr(before, name)
        ]
        if other:
            _log.warning("%s: changed: %s; it takes a restart", self._path, ", ".join(other))
        if found.cameras == before.cameras:
            return False
        self._settings = before.model_copy(update={"cameras": found.cameras})
        self._metrics.reloads.labels("taken").inc()
        _log.info("%s: the cameras are now %s", self._path, ", ".join(self.cameras))
        return True


def _checked(path: Path, labels: Sequence[str]) -> Settings:
    settings = load(path)
    check_files(settings)
    check_labels(settings, labels)
    return settings


def _mark(path: Path) -> _Mark:
    """What is another when the file was written or replaced; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
