"""A namespace that enforces PodSecurity ``restricted`` and the chart's quota takes every pod of the
chart, and refuses one that asks for more.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cluster.api import Object
from tests.support.cluster.plane import GPU, Plane
from tests.support.cluster.release import Release, release
from tests.support.helm import EXAMPLES
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

CLAIM = "artefacts"
COMPONENTS = {
    "ingest", "segment", "segment-archive", "shadow", "compare", "watch", "notify", "web",
}  # fmt: skip
COMPONENT = "app.kubernetes.io/component"
ON_GPU = {
    "gpu": {"count": 1}, "replicas": 1,
    "pod": {"tolerations": [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}]},
}  # fmt: skip
VALUES: Mapping[str, Any] = {
    "kafka": {"brokers": ["kafka.example:9092"]},
    "model": {"artefact": {"pvc": {"claimName": CLAIM, "path": "yard-seg"}}},
    "shadow": {
        "enabled": True, "artefact": {"pvc": {"claimName": CLAIM, "path": "next"}}, **ON_GPU,
    },
    "segment": ON_GPU,
    "segmentArchive": {"enabled": True, **ON_GPU},
    "web": {"token": {"secret": "page-token"}},
    "scaling": {"enabled": False},
    "monitoring": {
        name: {"enabled": True} for name in ("serviceMonitors", "rules", "dashboards")
    },
    "resourceQuota": {
        "enabled": True, "hard": {f"requests.{GPU}": "4", "pods": "20", "requests.cpu": "64"},
    },
}  # fmt: skip
"""Every component at once, with monitoring and GPUs."""


@pytest.fixture(scope="module")
def full(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    with release(plane.api, "full", tmp_path_factory.mktemp("full")) as installed:
        plane.api.apply(*_claim(CLAIM, "full"))
        installed.install(VALUES)
        yield installed


def _claim(name: str, namespace: str) -> list[Object]:
    """A volume of artefacts that many pods may read."""
    size = {"storage": "1Gi"}
    modes, own = ["ReadOnlyMany"], f"{namespace}-{name}"
    return [
        {
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": own},
            "spec": {
                "capacity": size, "accessModes": modes, "storageClassName": own,
                "nfs": {"server": "artefacts.example", "path": "/"},
            },
        },
        {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "accessModes": modes, "storageClassName": own, "resources": {"requests": size},
            },
        },
    ]  # fmt: skip


def _classes() -> list[Object]:
    """What a cluster has where the examples are installed."""
    return [
        {
            "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass",
            "metadata": {"name": "nvidia"}, "handler": "nvidia",
        },
        {
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {"name": "live-video"}, "value": 1000,
        },
    ]  # fmt: skip


def _is_ready(pod: Object) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


def _refused(installed: Release) -> list[str]:
    """What controllers say of pods that they could not make."""
    events = installed.api.all(installed.namespace, "events")
    return [each["message"] for each in events if each["reason"] == "FailedCreate"]


def _ready(installed: Release) -> Counter[str]:
    """Pods that are ready, by component; there are no others but those of jobs."""
    pods = [each for each in installed.pods() if each["status"]["phase"] != "Succeeded"]
    ready = Counter(each["metadata"]["labels"][COMPONENT] for each in pods if _is_ready(each))
    assert ready.total() == len(pods)
    assert _refused(installed) == []
    return ready


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.stem)
def test_every_pod_of_an_example_is_taken_and_becomes_ready(
    plane: Plane, example: Path, tmp_path: Path
) -> None:
    with release(plane.api, example.stem, tmp_path) as installed:
        plane.api.apply(*_classes(), *_claim("models", example.stem))
        installed.install(yaml.safe_load(example.read_text()))
        print(f"  {example.stem}: {dict(_ready(installed))} ready")


def test_every_pod_is_taken_and_becomes_ready(full: Release) -> None:
    assert set(_ready(full)) == COMPONENTS


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"securityContext": {"runAsNonRoot": False}}, "runAsNonRoot != true"),
        ({"hostNetwork": True}, "host namespaces"),
        ({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, 'type "hostPath"'),
    ],
)  # fmt: skip
def test_a_pod_that_may_too_much_is_refused(
    full: Release, broken: Mapping[str, Any], told: str
) -> None:
    pod = _pod_of(full, "watch")
    for key, value in broken.items():
        pod["spec"][key] = pod["spec"][key] + value if isinstance(value, list) else value
    assert told in _refusal(full, pod)


def test_a_privileged_container_is_refused(full: Release) -> None:
    pod = _pod_of(full, "watch")
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    assert 'violates PodSecurity "restricted:latest": privileged' in _refusal(full, pod)


def test_a_pod_beyond_the_quota_is_refused(full: Release) -> None:
    """Four cards may be asked for, and three are."""
    pod = _pod_of(full, "segment")
    for kind in ("requests", "limits"):
        pod["spec"]["containers"][0]["resources"][kind][GPU] = "2"
    refusal = _refusal(full, pod)
    assert "exceeded quota: site-limits" in refusal
    assert f"requested: requests.{GPU}=2, used: requests.{GPU}=3" in refusal


def test_what_a_stateful_set_may_not_have_is_told_in_its_events(full: Release) -> None:
    full.api.kubectl("scale", "statefulset/site-segment", "--replicas=3", "-n", full.namespace)

    wait_until(lambda: bool(_refused(full)), "the quota is told of")
    assert "exceeded quota: site-limits" in _refused(full)[0]
    print(f"  {_refused(full)[0]}")


def _pod_of(full: Release, component: str) -> Object:
    """A pod as the chart's StatefulSet makes it, under a name of its own."""
    found = full.api.one(full.namespace, "statefulsets", f"site-{component}")
    assert found is not None
    template = deepcopy(found["spec"]["template"])
    metadata = {"name": "one-more", "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def _refusal(full: Release, pod: Object) -> str:
    """Why the apiserver does not take a pod."""
    done = full.api.tried("create", "-n", full.namespace, "-f", "-", given=json.dumps(pod))
    assert done.returncode != 0, done.stdout
    print(f"  {done.stderr.strip()}")
    return done.stderr
