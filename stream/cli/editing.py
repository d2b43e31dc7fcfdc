"""A configuration file while it is edited."""

import asyncio
import logging
from collections.abc import Callable, Collection
from pathlib import Path

from stream.cli.doubting import log_doubts
from stream.cli.model import check_known_labels
from stream.config import Settings, check_watched, load
from stream.errors import ConfigError
from stream.metrics import Metrics
from stream.ports import Clock, Registry
from stream.rulebook import Rulebook

LOOK_S = 0.5
"""How often the file is looked at. It is read once it was the same for two looks, as an editor may
be seen half way."""

_Mark = tuple[int, int, int] | None
_NEVER = (-1, -1, -1)
_log = logging.getLogger(__name__)


class Edits:
    """What a configuration file becomes. One that is refused changes nothing, and is told of.

    ``check`` raises `ConfigError` for settings that could not be started with.
    """

    def __init__(
        self, path: Path, check: Callable[[Settings], None], clock: Clock, metrics: Metrics
    ) -> None:
        self.path = path
        self._check = check
        self._clock = clock
        self._metrics = metrics
        self._read: _Mark = _NEVER
        """The file that was read last, right or wrong. At first it is read once more: it may be
        another since the start."""

    async def look(self) -> Settings | None:
        """Look at the file for `LOOK_S`; what it says now where it was written meanwhile."""
        seen = _mark(self.path)
        await self._clock.sleep(LOOK_S)
        if seen == self._read or seen != _mark(self.path):
            return None
        self._read = seen
        try:
            return await asyncio.to_thread(self._checked)
        except ConfigError as error:
            self._metrics.reloads.labels("refused").inc()
            _log.error("%s is not taken over, all stays as it is:\n%s", self.path, error)
            return None

    def taken(self, what: str) -> None:
        """Count and tell that something was taken over."""
        self._metrics.reloads.labels("taken").inc()
        _log.info("%s: %s", self.path, what)

    def _checked(self) -> Settings:
        settings = load(self.path)
        self._check(settings)
        return settings


def tell_of_others(path: Path, before: Settings, found: Settings, taken: Collection[str]) -> None:
    """Say what has changed besides the sections that are ``taken`` over."""
    names = [name for name in Settings.model_fields if name not in taken]
    if other := [name for name in names if getattr(found, name) != getattr(before, name)]:
        _log.warning("%s: changed: %s; it takes a restart", path, ", ".join(other))


def edits_of_rules(path: Path, registry: Registry, clock: Clock, metrics: Metrics) -> Edits:
    """The file of a role: its rules and zones may name the cameras that are there by then."""

    def check(found: Settings) -> None:
        check_watched(found, registry.cameras)
        check_known_labels(found)

    return Edits(path, check, clock, metrics)


async def follow_rules(edits: Edits, settings: Settings, rulebook: Rulebook) -> None:
    """Take over the rules and zones of the file whenever they change."""
    while True:
        found = await edits.look()
        if found is not None:
            taken = take_rules(edits, settings, found, rulebook)
            tell_of_others(edits.path, settings, found, {"cameras", *taken})


def take_rules(edits: Edits, before: Settings, found: Settings, rulebook: Rulebook) -> set[str]:
    """Take over rules and zones where they are others than by now; the sections that need no
    restart for it.

    They do where endpoints have changed as well: alerts for one that is not open yet would be
    given up.
    """
    if found.endpoints != before.endpoints:
        return set()
    if (found.rules, found.zones) != (rulebook.rules, rulebook.zones):
        rulebook.replace(found.rules, found.zones)
        names = ", ".join(rule.id for rule in found.rules) or "none"
        edits.taken(f"the rules are now: {names}")
        log_doubts(found)
    return {"rules", "zones"}


def _mark(path: Path) -> _Mark:
    """What is another when the file was written or replaced; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
