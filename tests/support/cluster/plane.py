"""etcd, kube-apiserver, its controllers and scheduler, and kwok's nodes."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.cluster.api import Api, Object
from tests.support.cluster.daemons import Daemons, daemons
from tests.support.cluster.keys import Keys, make_keys
from tests.support.cluster.parts import document, require_cluster
from tests.support.kafka import ROOT, free_ports
from tests.support.waiting import wait_until

LOGS = ROOT / "out" / "cluster" / "logs"
"""Where logs of the last control plane are."""
GPU = "nvidia.com/gpu"
CARDS = {GPU: "8", "nvidia.com/mig-3g.40gb": "2", "nvidia.com/mig-1g.10gb": "7"}
"""Of each node that has some."""
_FRONT_PROXY = "front-proxy"
_ISSUER = "https://kubernetes.default.svc"


@dataclass(frozen=True)
class Plane:
    """A control plane that runs, and what else does beside it."""

    folder: Path
    api: Api
    daemons: Daemons


@contextmanager
def control_plane() -> Iterator[Plane]:
    """All of it on loopback, with six nodes, of which four have GPUs. Gone afterwards; its logs are
    kept in `LOGS` until there is another.
    """
    require_cluster()
    folder = Path(tempfile.mkdtemp(prefix="maskstream-cluster-"))
    try:
        with daemons(folder) as running:
            yield _started(folder, running)
    finally:
        shutil.rmtree(LOGS, ignore_errors=True)
        LOGS.mkdir(parents=True)
        for log in folder.glob("*.log"):
            shutil.copy(log, LOGS)
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, running: Daemons) -> Plane:
    keys = make_keys(folder / "keys")
    etcd, peer, port, controllers, scheduler = free_ports(5)
    api = Api(f"https://127.0.0.1:{port}", keys)
    plane = Plane(folder, api, running)
    _start_etcd(plane, etcd, peer)
    options = {**_apiserver(port, f"http://127.0.0.1:{etcd}"), **_identities(keys)}
    running.start("kube-apiserver", options, lambda: api.answers("readyz"))
    _start_behind(plane, "kube-controller-manager", controllers, _controllers(keys))
    _start_behind(plane, "kube-scheduler", scheduler, {})
    _start_nodes(plane)
    return plane


def _start_etcd(plane: Plane, port: int, peer: int) -> None:
    here, there = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    options = {
        "data-dir": plane.folder / "etcd", "unsafe-no-fsync": "true",
        "listen-client-urls": here, "advertise-client-urls": here,
        "listen-peer-urls": there, "initial-advertise-peer-urls": there,
        "initial-cluster": f"default={there}",
    }  # fmt: skip
    plane.daemons.start("etcd", options, lambda: plane.api.says_ok(f"{here}/health"))


def _apiserver(port: int, etcd: str) -> Mapping[str, object]:
    return {
        "etcd-servers": etcd, "bind-address": "127.0.0.1", "secure-port": port,
        # No endpoint of a Service may be on loopback, so the apiserver does not publish its own.
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.96.0.0/16", "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "PodSecurity,ResourceQuota",
        "allow-privileged": "true",  # as on most sites: it is PodSecurity that refuses
    }  # fmt: skip


def _identities(keys: Keys) -> Mapping[str, object]:
    """Who the apiserver is, whom it believes, and how it signs and reads tokens."""
    certificate, key = keys.pair("kube-apiserver")
    account, account_key = keys.pair("service-accounts")
    proxy, proxy_key = keys.pair(_FRONT_PROXY)
    return {
        "tls-cert-file": certificate, "tls-private-key-file": key, "client-ca-file": keys.ca,
        "service-account-issuer": _ISSUER, "service-account-key-file": account,
        "service-account-signing-key-file": account_key,
        "requestheader-client-ca-file": keys.ca, "requestheader-allowed-names": _FRONT_PROXY,
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": proxy, "proxy-client-key-file": proxy_key,
    }  # fmt: skip


def _controllers(keys: Keys) -> Mapping[str, object]:
    _, account_key = keys.pair("service-accounts")
    return {
        # Each controller has its own rights, as on a real site: that of autoscalers has to be
        # allowed to read KEDA's metrics.
        "use-service-account-credentials": "true",
        "service-account-private-key-file": account_key, "root-ca-file": keys.ca,
    }  # fmt: skip


def _start_behind(plane: Plane, name: str, port: int, more: Mapping[str, object]) -> None:
    """Start what works behind the apiserver, under its own name."""
    keys, user = plane.api.keys, f"system:{name}"
    certificate, key = keys.pair(user)
    options = {
        "kubeconfig": keys.kubeconfig(user, plane.api.url), "leader-elect": "false",
        "bind-address": "127.0.0.1", "secure-port": port,
        "tls-cert-file": certificate, "tls-private-key-file": key, **more,
    }  # fmt: skip
    url = f"https://127.0.0.1:{port}/healthz"
    plane.daemons.start(name, options, lambda: plane.api.says_ok(url))


def _start_nodes(plane: Plane) -> None:
    api = plane.api
    api.apply(
        *(_node(f"node-{number}") for number in range(2)),
        *(_gpu_node(f"node-gpu-{number}") for number in range(4)),
    )
    options = {
        "kubeconfig": api.kubeconfig, "config": document("stages.yaml"),
        "manage-all-nodes": "true", "node-port": 0, "cidr": "10.64.0.0/16",
        "node-lease-duration-seconds": 40,
    }  # fmt: skip
    plane.daemons.start("kwok", options, lambda: all(map(_is_ready, _nodes(api))))
    # The controller takes its taint from a node that is ready.
    wait_until(lambda: not any(map(_is_new, _nodes(api))), "nodes take pods")


def _node(name: str) -> Object:
    capacity = {"cpu": "64", "memory": "256Gi", "pods": "110"}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "type": "kwok"}
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
        "status": {"capacity": capacity, "allocatable": capacity},
    }  # fmt: skip


def _gpu_node(name: str) -> Object:
    """One with cards, whole and in parts, that takes those alone who tolerate it."""
    node = _node(name)
    node["metadata"]["labels"]["nvidia.com/mig.strategy"] = "mixed"
    node["status"]["capacity"] |= CARDS
    node["spec"] = {"taints": [{"key": GPU, "value": "present", "effect": "NoSchedule"}]}
    return node


def _nodes(api: Api) -> list[Object]:
    items: list[Object] = api.get("api/v1/nodes")["items"]
    return items


def _is_new(node: Object) -> bool:
    return any(
        each["key"].startswith("node.kubernetes.io") for each in node["spec"].get("taints", [])
    )


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return {"Ready": "True"}.items() <= {
        each["type"]: each["status"] for each in conditions
    }.items()
