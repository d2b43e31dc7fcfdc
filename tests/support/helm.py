"""The pinned Helm, and what it makes of the chart."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from tests.support.required import require

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "maskstream"
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
PINNED = ("helm/go.mod", "helm/go.sum", "helm/crds.sha256", "helm.sh")
MINIMAL = (
    'kafka.brokers=["kafka.kafka.svc:9092"]',
    'model.artefact.path="/opt/model"',
    'web.token.secret="page"',
    'scaling.prometheus.url="http://prometheus.monitoring:9090"',
)
"""The values that have no default: as --set-json takes it."""

Object = Mapping[str, Any]


@cache
def tools() -> Path:
    """The folder that tests/setup/helm.sh makes of the versions as they are pinned now."""
    parts = [(ROOT / "tests" / "setup" / name).read_bytes() for name in PINNED]
    return ROOT / ".cache" / "helm" / sha256(b"".join(parts)).hexdigest()[:12]


def require_helm() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names it, without Helm."""
    there = (tools() / "done").exists()
    require("helm", there, "helm is absent; tests/setup/helm.sh builds it with Go")


def helm(*args: str) -> subprocess.CompletedProcess[str]:
    """What Helm says to ``args``."""
    require_helm()
    command = [str(tools() / "helm"), *args]
    env = {**os.environ, "GOGC": "off"}  # it ends before its garbage matters: a quarter of its time
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


@cache
def rendered(*values: str, release: str = "site") -> Sequence[Object]:
    """The objects of a release. ``values`` are files that end in .yaml, or for --set-json."""
    done = _template(values, release)
    assert done.returncode == 0, done.stderr
    return [
        each for each in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if each is not None
    ]


def refusal(*values: str, release: str = "site") -> str:
    """What Helm says to values that it refuses."""
    done = _template(values, release)
    assert done.returncode != 0, "it took them"
    return done.stderr


def _template(values: Sequence[str], release: str) -> subprocess.CompletedProcess[str]:
    options = [part for each in values for part in _option(each)]
    return helm("template", release, str(CHART), "--namespace", "cameras", *options)


def _option(value: str) -> tuple[str, str]:
    return ("--values" if value.endswith(".yaml") else "--set-json"), value


def of_kind(objects: Sequence[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [each for each in objects if each["kind"] in kinds]


def named(objects: Sequence[Object], kind: str, name: str) -> Object:
    """The object of a kind with a name; there is one."""
    (found,) = [each for each in of_kind(objects, kind) if each["metadata"]["name"] == name]
    return found


def pods(objects: Sequence[Object]) -> Mapping[str, Object]:
    """The specification of each pod, by the name of what makes it."""
    made = {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in of_kind(objects, "StatefulSet", "Job")
    }
    alone = {each["metadata"]["name"]: each["spec"] for each in of_kind(objects, "Pod")}
    return {**made, **alone}


def configurations(objects: Sequence[Object]) -> Mapping[str, str]:
    """The configuration of each component, by the name of its ConfigMap."""
    maps = of_kind(objects, "ConfigMap")
    return {
        each["metadata"]["name"]: each["data"]["config.yaml"]
        for each in maps
        if "config.yaml" in each["data"]
    }
