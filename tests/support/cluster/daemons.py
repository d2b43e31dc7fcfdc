"""Processes of a control plane, each with a log of its own."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.cluster.parts import program
from tests.support.waiting import wait_until

READY_S = 120.0
STOP_S = 10.0
_TOLD = 3000


@dataclass(frozen=True)
class Daemon:
    """One that runs."""

    name: str
    log: Path
    popen: subprocess.Popen[bytes]

    def tail(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-_TOLD:]


class Daemons:
    """All of a control plane, in the order of their start; logs are ``folder/NAME.log``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Daemon] = []

    def start(
        self,
        name: str,
        options: Mapping[str, object],
        is_ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
    ) -> Daemon:
        """Start one, and return once it is ready; where it ends first, its log tells why."""
        words = [f"--{option}={value}" for option, value in options.items()]
        log = self._folder / f"{name}.log"
        with log.open("ab") as out:
            popen = subprocess.Popen(
                [program(name), *words], stdout=out, stderr=out, cwd=self._folder,
                env={**os.environ, **(env or {})}, start_new_session=True,
            )  # fmt: skip
        daemon = Daemon(name, log, popen)
        self._started.append(daemon)
        wait_until(lambda: popen.poll() is not None or is_ready(), f"{name} is ready", READY_S, 0.2)
        assert popen.poll() is None, f"{name} ended:\n{daemon.tail()}"
        return daemon

    def ended(self) -> list[str]:
        """Names of those that do not run any more."""
        return [each.name for each in self._started if each.popen.poll() is not None]

    def end(self) -> None:
        """End all, the last first, and wait until they are gone."""
        for daemon in reversed(self._started):
            daemon.popen.terminate()
            try:
                daemon.popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                daemon.popen.kill()
                daemon.popen.wait()


@contextmanager
def daemons(folder: Path) -> Iterator[Daemons]:
    """Daemons that do not outlive the test."""
    running = Daemons(folder)
    try:
        yield running
    finally:
        running.end()
