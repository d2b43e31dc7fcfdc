"""Probes of a container, asked as a kubelet asks them.

After kubernetes/pkg/kubelet/prober (worker.go, 1.34): a verdict changes after as many like answers
in a row as its threshold says; liveness and readiness wait for the startup probe, and readiness is
then asked at once.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Literal
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

Kind = Literal["startup", "liveness", "readiness"]
KINDS: tuple[Kind, ...] = ("startup", "liveness", "readiness")
Tell = Callable[[Kind, bool, str], None]
"""A verdict that changed: of which probe, whether it is good, and what was answered last."""


@dataclass(frozen=True)
class Probe:
    """One probe of a manifest, with what Kubernetes fills in."""

    url: str
    delay_s: float
    period_s: float
    timeout_s: float
    good: int
    bad: int

    @classmethod
    def of(cls, spec: Mapping[str, Any], address: str, ports: Mapping[str, int]) -> "Probe":
        """As a container's manifest has it; only ``httpGet`` is known here."""
        get = spec["httpGet"]
        port = ports.get(get["port"], get["port"])
        return cls(
            f"http://{address}:{port}{get.get('path', '/')}",
            spec.get("initialDelaySeconds", 0),
            spec.get("periodSeconds", 10),
            spec.get("timeoutSeconds", 1),
            spec.get("successThreshold", 1),
            spec.get("failureThreshold", 3),
        )

    def ask(self) -> tuple[bool, str]:
        """Whether it is good, and what was answered."""
        try:
            with urlopen(self.url, timeout=self.timeout_s) as answer:
                return True, answer.read().decode().strip()
        except HTTPError as error:
            with error:
                return False, error.read().decode().strip()
        except (URLError, OSError) as error:
            return False, str(error)


class Tally:
    """Turns answers into verdicts."""

    def __init__(self, good: int, bad: int) -> None:
        self._needs = {True: good, False: bad}
        self._last = False
        self._run = 0

    def add(self, is_good: bool) -> bool | None:
        """The verdict that holds from now on; None while too few in a row say so."""
        self._run = self._run + 1 if is_good == self._last else 1
        self._last = is_good
        return is_good if self._run >= self._needs[is_good] else None


class Prober:
    """The probes of one run of a container, until `stop`."""

    def __init__(self, probes: Mapping[Kind, Probe], tell: Tell) -> None:
        self._probes = probes
        self._tell = tell
        self._stop = Event()
        self._has_started = Event()
        self._began_s = time.monotonic()
        if "startup" not in probes:
            self._has_started.set()
        for kind in KINDS:
            if kind not in probes and kind != "liveness":
                tell(kind, True, "no such probe")
        for kind in probes:
            Thread(target=self._ask, args=[kind], name=f"{kind} probe", daemon=True).start()

    def stop(self) -> None:
        """Ask no more; what is answered now is told nobody."""
        self._stop.set()

    def _ask(self, kind: Kind) -> None:
        probe = self._probes[kind]
        tally = Tally(probe.good, probe.bad)
        known = True if kind == "liveness" else None
        self._stop.wait(self._began_s + probe.delay_s - time.monotonic())
        if kind != "startup":
            self._wait_started()
        while not self._stop.is_set():
            asked_s = time.monotonic()
            is_good, answer = probe.ask()
            verdict = tally.add(is_good)
            if self._stop.is_set():
                return
            if verdict is not None and verdict != known:
                known = verdict
                self._tell(kind, verdict, answer)
            if kind == "startup" and verdict:
                self._has_started.set()
                return
            self._stop.wait(asked_s + probe.period_s - time.monotonic())

    def _wait_started(self) -> None:
        while not self._stop.is_set() and not self._has_started.wait(0.05):
            pass
