"""A configuration file while it is edited."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

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
NOBODYS = {"shadow"}
"""Sections that no process works by which follows edits."""

_log = logging.getLogger(__name__)


class Named(Protocol):
    """An entry of a list in a configuration."""

    @property
    def id(self) -> str:
        """Its name, which no other of the list has."""


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
        self._taken, self._refused = map(metrics.reloads.labels, ("taken", "refused"))
        self._read: _Mark = _NEVER
        """The file that was read last, right or wrong. At first it is read once more: it may be
        another since the start."""
        self._waiting: list[str] = []
        """The sections that wait for a restart, as it was told."""

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
            self._refused.inc()
            _log.error("%s is not taken over, all stays as it is:\n%s", self.path, error)
            return None

    def taken(self, lines: Sequence[str], found: Settings) -> None:
        """Tell what was taken over of ``found``, a line each, and its doubts; count it once.
        Without a line nothing was.
        """
        if not lines:
            return
        self._taken.inc()
        for line in lines:
            _log.info("%s: %s", self.path, line)
        log_doubts(found)

    def tell_of_others(self, before: Settings, now: Settings, found: Settings) -> None:
        """Say which sections of ``found`` wait for a restart, as they are not what runs ``now``,
        and which do so no more, as they are what ran ``before``.
        """
        waited, self._waiting = self._waiting, _differing(now, found)
        if self._waiting:
            names = ", ".join(self._waiting)
            _log.warning("%s: changed: %s; it takes a restart", self.path, names)
        differing = _differing(before, found)
        if back := [name for name in waited if name not in differing]:
            _log.info("%s: again as it runs: %s; no restart for it", self.path, ", ".join(back))

    def _checked(self) -> Settings:
        settings = load(self.path, secrets=False)  # used as they were at the start, or not at all
        self._check(settings)
        return settings


def _differing(running: Settings, found: Settings) -> list[str]:
    return [
        name
        for name in Settings.model_fields
        if name not in NOBODYS and getattr(found, name) != getattr(running, name)
    ]


def edits_of_rules(path: Path, registry: Registry, clock: Clock, metrics: Metrics) -> Edits:
    """The file of a role: its rules and zones may name the cameras that are there by then."""

    def check(found: Settings) -> None:
        check_watched(found, registry.cameras)
        check_known_labels(found)

    return Edits(path, check, clock, metrics)


async def follow_rules(edits: Edits, settings: Settings, rulebook: Rulebook) -> None:
    """Take over the rules and zones of the file whenever they change. Its cameras are a list for
    the registry.
    """
    running = settings
    while True:
        found = await edits.look()
        if found is not None:
            found = found.model_copy(update={"cameras": running.cameras})
            before = running
            running, lines = take_rules(running, found, rulebook)
            edits.taken(lines, found)
            edits.tell_of_others(before, running, found)


def take_rules(
    running: Settings, found: Settings, rulebook: Rulebook
) -> tuple[Settings, list[str]]:
    """Take over rules and zones where they are others than by now; returns what runs then, and a
    line to tell it, if there is something to tell.

    They wait where endpoints have changed as well: alerts for one that is not open yet would be
    given up.
    """
    if found.endpoints != running.endpoints:
        return running, []
    rules = changes("rules", running.rules, found.rules)
    zones = changes("zones", running.zones, found.zones)
    if not rules and not zones:
        return running, []
    rulebook.replace(found.rules, found.zones)
    now = running.model_copy(update={"rules": found.rules, "zones": found.zones})
    return now, ["; ".join([*rules, *zones])]


def changes(what: str, before: Sequence[Named], found: Sequence[Named]) -> list[str]:
    """How one list became another, in words; nothing where they are equal."""
    old, new = ({each.id: each for each in listed} for listed in (before, found))
    told = {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": [name for name in new if name in old and new[name] != old[name]],
    }
    words = [f"{what} {how}: {', '.join(names)}" for how, names in told.items() if names]
    is_other_order = not words and [*old] != [*new]
    return [f"{what} in another order"] if is_other_order else words


def _mark(path: Path) -> _Mark:
    """What is another when the file was written or replaced; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
