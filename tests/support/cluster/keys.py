"""Certificates of a control plane, made with openssl, and how its clients are told of them."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.required import require

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
_IS_CA = "keyUsage=critical,keyCertSign,digitalSignature"
_NO_CA = "basicConstraints=critical,CA:FALSE"
_NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:keda-metrics-apiserver.keda.svc"


@dataclass(frozen=True)
class Keys:
    """A folder of pairs ``NAME.pem`` and ``NAME.key``: ``ca``, which vouches for all others, and
    those that `pair` makes.
    """

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def pair(self, name: str, group: str = "") -> tuple[Path, Path]:
        """The certificate of ``name``, of a ``group`` where it has one, and its key."""
        stem = name.replace(":", "-")
        subject = f"/O={group}/CN={name}" if group else f"/CN={name}"
        files = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        if not files[0].exists():
            signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", _NAMES, "-addext", _NO_CA]
            _openssl(self.folder, stem, "-subj", subject, *signed)
        return files

    def kubeconfig(self, name: str, url: str, group: str = "") -> Path:
        """How ``name`` reaches the apiserver at ``url``."""
        certificate, key = self.pair(name, group)
        return self._config(
            name, url, {"client-certificate": str(certificate), "client-key": str(key)}
        )

    def account_kubeconfig(self, name: str, url: str, token: str) -> Path:
        """How a service account reaches it, by its ``token``."""
        return self._config(name, url, {"token": token})

    def _config(self, name: str, url: str, user: dict[str, str]) -> Path:
        document = {
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [
                {"name": "here", "cluster": {"server": url, "certificate-authority": str(self.ca)}}
            ],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": name}}],
        }  # fmt: skip
        path = self.folder / f"{name.replace(':', '-')}.kubeconfig"
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        return path


def make_keys(folder: Path) -> Keys:
    """An authority in a folder of its own."""
    openssl = shutil.which("openssl") is not None
    require("openssl", openssl, "openssl is not installed; it makes the cluster's certificates")
    folder.mkdir()
    _openssl(folder, "ca", "-subj", "/CN=cluster", "-addext", _IS_CA)
    return Keys(folder)


def _openssl(folder: Path, stem: str, *words: str) -> None:
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", *_CURVE, *words]
    files = ["-keyout", f"{stem}.key", "-out", f"{stem}.pem"]
    subprocess.run([*command, *files], check=True, capture_output=True, cwd=folder)
