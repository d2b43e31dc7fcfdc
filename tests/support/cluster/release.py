"""The chart, installed by helm in a namespace of its own, and what the cluster makes of it."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.cluster.api import Api, Object
from tests.support.helm import CHART, helm

NAME = "site"
SECRETS = ("page-token",)


@dataclass(frozen=True)
class Scale:
    """A StatefulSet at one moment: ``desired`` by its autoscaler, ``asked`` for, there, ready."""

    desired: int
    asked: int
    there: int
    ready: int


@dataclass(frozen=True)
class Release:
    """The chart in a namespace that enforces PodSecurity's ``restricted``."""

    api: Api
    namespace: str
    folder: Path

    def install(self, values: Mapping[str, Any], *more: str) -> None:
        """Install or upgrade with values, and ``more`` words for helm; return once it says so."""
        done = self.tried(values, *more)
        assert done.returncode == 0, f"helm: {done.stderr}\n{self.told()}"

    def tried(self, values: Mapping[str, Any], *more: str) -> subprocess.CompletedProcess[str]:
        """Install or upgrade where it may fail."""
        path = self.folder / f"{self.namespace}-values.yaml"
        path.write_text(json.dumps(values))
        words = [
            "upgrade", "--install", NAME, str(CHART), f"--namespace={self.namespace}",
            f"--values={path}", f"--kubeconfig={self.api.kubeconfig}", "--wait", "--timeout=3m",
            *more,
        ]  # fmt: skip
        return helm(*words)

    def scale(self, component: str) -> Scale:
        """How many pods of a component there are, and how many there shall be."""
        name = f"{NAME}-{component}"
        found = self.api.one(self.namespace, "statefulsets", name)
        scaler = self.api.one(self.namespace, "horizontalpodautoscalers", f"keda-hpa-{name}")
        assert found is not None, f"no StatefulSet {name}"
        status = found["status"]
        return Scale(
            desired=0 if scaler is None else scaler.get("status", {}).get("desiredReplicas", 0),
            asked=found["spec"]["replicas"],
            there=status.get("replicas", 0),
            ready=status.get("readyReplicas", 0),
        )

    def metrics(self, component: str) -> dict[str, str]:
        """What the autoscaler of a component was told last, by the name of the metric."""
        name = f"keda-hpa-{NAME}-{component}"
        found = self.api.one(self.namespace, "horizontalpodautoscalers", name)
        current = [] if found is None else found.get("status", {}).get("currentMetrics") or []
        named = (each["external"] for each in current if "external" in each)
        return {each["metric"]["name"]: _value(each["current"]) for each in named}

    def pods(self) -> list[Object]:
        """All pods that are there."""
        return self.api.all(self.namespace, "pods")

    def told(self) -> str:
        """The events of the namespace, the last last."""
        words = ["get", "events", "-n", self.namespace, "--sort-by=.lastTimestamp"]
        return self.api.tried(*words).stdout[-4000:]


@contextmanager
def release(api: Api, namespace: str, folder: Path) -> Iterator[Release]:
    """A namespace for the chart; gone afterwards with all that is in it."""
    enforce = {"pod-security.kubernetes.io/enforce": "restricted"}
    kind = {"apiVersion": "v1", "kind": "Namespace"}
    api.apply({**kind, "metadata": {"name": namespace, "labels": enforce}})
    for name in SECRETS:
        api.kubectl(
            "create", "secret", "generic", name, "-n", namespace, "--from-literal=token=a-token"
        )
    try:
        yield Release(api, namespace, folder)
    finally:
        api.tried("delete", "namespace", namespace, "--wait=false")


def _value(current: Mapping[str, str]) -> str:
    return current.get("averageValue") or current.get("value") or ""
