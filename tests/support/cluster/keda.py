"""KEDA's operator and metrics adapter beside a control plane, as its own manifests set them up."""

import shutil
from base64 import b64encode
from pathlib import Path

from tests.support.cluster.api import Api, Object
from tests.support.cluster.parts import document
from tests.support.cluster.plane import Plane
from tests.support.kafka import free_ports
from tests.support.waiting import wait_until

NAMESPACE = "keda"
_ACCOUNT = "keda-operator"
_SERVICE = "keda-metrics-apiserver"
_METRICS = "apis/external.metrics.k8s.io/v1beta1"
_IN_OPERATION = {
    "POD_NAMESPACE": NAMESPACE,
    "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
    "WATCH_NAMESPACE": "",
}


def start_keda(plane: Plane) -> None:
    """Start both, with the rights that KEDA's own roles give them and no others, and return once
    the apiserver passes questions about external metrics on to them.
    """
    api = plane.api
    port, metrics, operator, health, service = free_ports(5)
    crds = document("crds")
    api.kubectl("apply", "--server-side", "-f", str(crds))
    api.apply(*_account(), *_metrics_api(api, port))
    api.kubectl("apply", "--server-side", "-f", str(document("keda-roles.yaml")))
    token = api.kubectl("create", "token", _ACCOUNT, "-n", NAMESPACE, "--duration=24h").strip()
    config = api.keys.account_kubeconfig(_ACCOUNT, api.url, token)
    env = {**_IN_OPERATION, "KUBECONFIG": str(config)}
    certificates = _certificates(plane)
    plane.daemons.start(
        "keda-operator",
        {
            "cert-dir": certificates, "enable-cert-rotation": "false", "zap-log-level": "info",
            "metrics-bind-address": f"127.0.0.1:{operator}",
            "health-probe-bind-address": f"127.0.0.1:{health}",
            "metrics-service-bind-address": f"127.0.0.1:{service}",
        },
        lambda: api.says_ok(f"http://127.0.0.1:{health}/readyz"), env,
    )  # fmt: skip
    plane.daemons.start(
        "keda-adapter",
        {
            "bind-address": "127.0.0.1", "secure-port": port, "port": metrics,
            "metrics-service-address": f"127.0.0.1:{service}", "cert-dir": certificates,
            "client-ca-file": api.keys.ca, "tls-cert-file": certificates / "tls.crt",
            "tls-private-key-file": certificates / "tls.key", "lister-kubeconfig": config,
            "authentication-kubeconfig": config, "authorization-kubeconfig": config,
        },
        lambda: api.says_ok(f"https://127.0.0.1:{port}/readyz"), env,
    )  # fmt: skip
    wait_until(lambda: api.answers(_METRICS), "the apiserver reaches KEDA's adapter")


def _account() -> list[Object]:
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": _ACCOUNT, "namespace": NAMESPACE},
        },
    ]  # fmt: skip


def _metrics_api(api: Api, port: int) -> list[Object]:
    """Who answers for external metrics. No endpoint of a Service may be on loopback, but the name
    that a Service stands for may.
    """
    bundle = b64encode(api.keys.ca.read_bytes()).decode()
    return [
        {
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": _SERVICE, "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
            "spec": {
                "group": "external.metrics.k8s.io", "version": "v1beta1", "caBundle": bundle,
                "service": {"name": _SERVICE, "namespace": NAMESPACE, "port": port},
                "groupPriorityMinimum": 100, "versionPriority": 100,
            },
        },
    ]  # fmt: skip


def _certificates(plane: Plane) -> Path:
    """Under the names that KEDA looks for; each of the two asks the other for it."""
    keys, folder = plane.api.keys, plane.folder / "keda-certificates"
    folder.mkdir()
    certificate, key = keys.pair(_SERVICE)
    named = {"ca.crt": keys.ca, "tls.crt": certificate, "tls.key": key}
    for name, path in named.items():
        shutil.copy(path, folder / name)
    return folder
