"""The clock of a host, as some processes see it: libfaketime steps it while they run.

Their monotonic clock goes on, as where a real one is set.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time
from urllib.request import urlopen

from tests.support.required import require
from tests.support.roles import Process

_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
HOUR_S = 3_660
"""And a minute: Kafka's own bound for a writer's clock is an hour."""


def require_faketime() -> None:
    """Go on where libfaketime is installed; else skip, or fail where it is demanded."""
    require("faketime", bool(_LIBRARIES), "no libfaketime: tests/setup/faketime.sh installs it")


class HostClock:
    """Right until it is stepped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.step(0)

    @property
    def env(self) -> Mapping[str, str]:
        """What lets a process see it. No ``time.sleep`` in that: libfaketime 0.9.10 breaks it."""
        return {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, ahead_s: int) -> None:
        """Set it: so far ahead of the true time."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead_s:+d}\n")
        new.replace(self._file)


def ahead_s(process: Process) -> float:
    """How far the clock that a process sees is ahead of ours, by what it says on its probes."""
    with urlopen(process.probes + "/livez") as answer:
        return parsedate_to_datetime(answer.headers["date"]).timestamp() - time()
