"""What tests/setup/cluster.sh builds: where it lies."""

from hashlib import sha256
from pathlib import Path

from tests.support.kafka import ROOT
from tests.support.required import require

_SETUP = ROOT / "tests" / "setup"


def _folder() -> Path:
    """The folder that the script makes for the versions as they are now."""
    named = ("cluster.sh", "cluster/go.mod", "cluster/go.sum")
    content = b"".join((_SETUP / name).read_bytes() for name in named)
    return ROOT / ".cache" / "cluster" / sha256(content).hexdigest()[:12]


def require_cluster() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names it, without a control plane."""
    is_built = (_folder() / "done").exists()
    require("cluster", is_built, "no control plane: tests/setup/cluster.sh builds it; it needs Go")


def program(name: str) -> Path:
    """One of etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kwok,
    keda-operator and keda-adapter.
    """
    return _folder() / "bin" / name


def document(name: str) -> Path:
    """A file of manifests: ``stages.yaml`` of kwok or ``keda-roles.yaml``; ``crds`` is a folder."""
    return _folder() / name
