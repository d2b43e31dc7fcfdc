"""A pod of a manifest as processes of this machine: what a kubelet does, as far as tests need it.

Init containers in order, the container with its environment and volumes, its probes, what stops it
and within what time, and its restart. Every pod has an address of its own on loopback, and only
that is rewritten: where a ConfigMap says 0.0.0.0 it says the pod's address here, so that all may
listen on the ports that the manifest names. Limits of memory and cores are not enforced.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from tests.support.probing import KINDS, Kind, Probe, Prober
from tests.support.sandbox import USER, Box, Boxed, Mount
from tests.support.volumes import Objects, volume

PAUSE_S = 0.02
BACKOFF_S = 10.0
"""Before the second restart of a container, then twice as long each time, to `LONGEST_S`."""
LONGEST_S = 300.0
LEAST_GRACE_S = 2.0
"""That a kubelet leaves a container after its preStop, however long that took."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a pod. ``at_s`` is monotonic, ``at_ms`` the clock of brokers."""

    what: str
    at_s: float = field(default_factory=time.monotonic)
    at_ms: int = field(default_factory=lambda: time.time_ns() // 10**6)


@dataclass(frozen=True)
class Exit:
    """How a container ended. ``was_killed``: it did not go when it was asked to."""

    code: int
    was_killed: bool
    why: str
    took_s: float
    """From when it was asked to go."""


class Pod:
    """One pod, from when it is asked for to when it is gone."""

    def __init__(
        self, name: str, address: str, template: Mapping[str, Any], objects: Objects, folder: Path
    ) -> None:
        self.name = name
        self.address = address
        self.template = template
        self.events = [Event("asked for")]
        self.exits: list[Exit] = []
        self._spec: Mapping[str, Any] = template["spec"]
        self._objects = objects
        self._folder = folder
        self._is_good: dict[Kind, bool] = {}
        self._unhealthy = ""
        self._is_deleted = False
        self._boxed: Boxed | None = None
        self._volumes = {
            each["name"]: volume(each, objects, folder / "volumes" / each["name"], self)
            for each in self._spec.get("volumes", ())
        }
        self._life = Thread(target=self._live, name=name)
        self._life.start()

    @property
    def component(self) -> str:
        return str(self.template["metadata"]["labels"]["app.kubernetes.io/component"])

    @property
    def is_ready(self) -> bool:
        return all(self._is_good.get(kind) for kind in ("startup", "readiness"))

    @property
    def is_gone(self) -> bool:
        return not self._life.is_alive()

    @property
    def cpu_s(self) -> float:
        """What its container has computed until now, on all cores together."""
        assert self._boxed is not None
        return self._boxed.cpu_s()

    @property
    def restarts(self) -> int:
        return sum(each.what == "container starts" for each in self.events) - 1

    @property
    def log(self) -> str:
        """What its containers said."""
        return "".join(each.read_text() for each in sorted(self._folder.glob("*.log")))

    def at(self, what: str) -> Event:
        """The first event that begins so."""
        return next(each for each in self.events if each.what.startswith(what))

    def ready_after_s(self) -> float:
        """From when it was asked for until it was ready."""
        return self.at("ready").at_s - self.at("asked for").at_s

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its container, as nobody does in a cluster."""
        assert self._boxed is not None
        self._boxed.signal(number)

    def delete(self) -> None:
        """Ask it to go; returns at once."""
        self._happened("deleted")
        self._is_deleted = True

    def join(self) -> None:
        """Return once it has ended by itself, as that of a Job does."""
        self._life.join()

    def wait_gone(self) -> None:
        """Return once it is gone; fails a little after its time is over."""
        self._life.join(float(self._grace_s) + 10)
        assert self.is_gone, f"{self.name} does not go"

    def end(self) -> None:
        """Kill it, whatever it does: the test is over."""
        self._is_deleted = True
        if self._boxed is not None:
            self._boxed.kill()
        self._life.join()

    @property
    def group(self) -> int:
        """Whose its volumes are."""
        return int(self._spec.get("securityContext", {}).get("fsGroup", USER))

    def own(self, text: str) -> str:
        """A file of a ConfigMap, as this pod has it."""
        return text.replace("0.0.0.0", self.address)

    @property
    def _container(self) -> Mapping[str, Any]:
        found: Sequence[Mapping[str, Any]] = self._spec["containers"]
        (only,) = found
        return only

    @property
    def _grace_s(self) -> int:
        return int(self._spec.get("terminationGracePeriodSeconds", 30))

    def _happened(self, what: str) -> None:
        self.events.append(Event(what))

    def _live(self) -> None:
        for each in self._spec.get("initContainers", ()):
            code = self._prepared(self._start(each))
            self._happened(f"{each['name']} ended with {code}")
            if code:
                return
        while not self._is_deleted:
            self._run()
            if self._spec.get("restartPolicy", "Always") != "Always":
                return
            self._back_off()

    def _prepared(self, boxed: Boxed) -> int:
        """The exit code of an init container, which goes with its pod."""
        while boxed.code is None and not self._is_deleted:
            time.sleep(PAUSE_S)
        if boxed.code is None:
            boxed.kill()
        return boxed.wait()

    def _back_off(self) -> None:
        until_s = time.monotonic()
        if self.restarts:
            until_s += min(BACKOFF_S * 2 ** (self.restarts - 1), LONGEST_S)
        while not self._is_deleted and time.monotonic() < until_s:
            time.sleep(PAUSE_S)

    def _run(self) -> None:
        """One life of its container."""
        self._is_good, self._unhealthy = {}, ""
        self._boxed = self._start(self._container)
        self._happened("container starts")
        prober = Prober(self._probes(), self._told)
        while self._boxed.code is None and not self._is_deleted and not self._unhealthy:
            time.sleep(PAUSE_S)
        prober.stop()
        self._is_good = {}
        self._ended(self._boxed)

    def _ended(self, boxed: Boxed) -> None:
        began_s, was_killed, why = time.monotonic(), False, self._unhealthy or "deleted"
        if boxed.code is None:
            was_killed = self._stopped(boxed, self._grace_s)
        else:
            why = "by itself"
        took_s = time.monotonic() - began_s
        code = 128 + signal.SIGKILL if was_killed else boxed.wait()  # unshare dies of no SIGKILL
        self.exits.append(Exit(code, was_killed, why, took_s))
        self._happened(f"container ended with {code}{', killed' if was_killed else ''}")

    def _stopped(self, boxed: Boxed, grace_s: float) -> bool:
        """Stop a container as a kubelet does; returns whether it had to be killed."""
        if self._unhealthy:
            liveness = self._container["livenessProbe"]
            grace_s = liveness.get("terminationGracePeriodSeconds", grace_s)
        over_s = time.monotonic() + grace_s
        self._pre_stop(grace_s)
        boxed.signal(signal.SIGTERM)
        try:
            boxed.wait(max(LEAST_GRACE_S, over_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            boxed.kill()
            return True
        return False

    def _pre_stop(self, grace_s: float) -> None:
        hook = self._container.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            time.sleep(min(hook["sleep"]["seconds"], grace_s))
        else:
            assert not hook, f"a hook that is not known here: {hook}"

    def _told(self, kind: Kind, is_good: bool, answer: str) -> None:
        was_ready = self.is_ready
        self._is_good[kind] = is_good
        if not is_good and kind != "readiness":
            self._happened(f"{kind} fails: {answer}")
            self._unhealthy = f"{kind}: {answer}"
        elif self.is_ready and not was_ready:
            self._happened("ready")
        elif not is_good:
            self._happened(f"not ready: {answer}")

    def _probes(self) -> Mapping[Kind, Probe]:
        container = self._container
        ports = self._ports(container)
        return {
            kind: Probe.of(container[f"{kind}Probe"], self.address, ports)
            for kind in KINDS
            if f"{kind}Probe" in container
        }

    def _ports(self, container: Mapping[str, Any]) -> Mapping[str, int]:
        return {each["name"]: each["containerPort"] for each in container.get("ports", ())}

    def _start(self, container: Mapping[str, Any]) -> Boxed:
        own = container.get("securityContext", {})
        whose = {**self._spec.get("securityContext", {}), **own}
        box = Box(
            self._folder / f"{container['name']}-{len(self.events)}",
            [*container.get("command", ["maskstream"]), *container.get("args", ())],
            {each["name"]: self._value(each) for each in container.get("env", ())},
            [self._mount(each) for each in container.get("volumeMounts", ())],
            whose.get("runAsUser", USER),
            self.group,
            own.get("readOnlyRootFilesystem", False),
        )
        return Boxed(box, self._folder / f"{container['name']}.log")

    def _mount(self, spec: Mapping[str, Any]) -> Mount:
        source = self._volumes[spec["name"]] / spec.get("subPath", "")
        return Mount(source, spec["mountPath"], spec.get("readOnly", False))

    def _value(self, spec: Mapping[str, Any]) -> str:
        """Of a variable of a container."""
        if "value" in spec:
            return str(spec["value"])
        ((kind, where),) = spec["valueFrom"].items()
        if kind == "fieldRef":
            return _FIELDS[where["fieldPath"]](self)
        return self._objects.value(kind, where)


_FIELDS: Mapping[str, Callable[[Pod], str]] = {
    "metadata.name": lambda pod: pod.name,
    "metadata.namespace": lambda _: "default",
    "spec.nodeName": lambda _: "node",
    "status.podIP": lambda pod: pod.address,
}
