"""What a broker needs to encrypt and to ask who somebody is, with certificates that openssl makes.

`PASSWORD` lets in, `WRONG` does not, and neither may be read anywhere: both are canaries. Whoever
does not log in as one of `TENANTS`, each with a user for each role, may do anything.
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connectors.kafka.rights import USERS
from tests.support.kafka import Extras, cluster, free_ports, require_kafka
from tests.support.required import require

USER = "maskstream"
PASSWORD = "canary-Zw4pQ9 =;x"
"""With characters that a protocol or a file could take for its own."""
WRONG = "canary-Zw4pQ9"
TENANTS = ("site-a.", "site-b.", "site-c.", "site-d.", "site-e.")
"""Their users, as ``site-a.ingest``, have `PASSWORD`, and no right but those they are granted."""
SECURITY = ("SSL", "SASL_SSL", "SASL_PLAINTEXT")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_MODULES = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Secured:
    """A running broker: its ports by their security, the folder of the certificates, and its log.

    ``ca.pem`` vouches for the broker by its address, not by a name; ``client.pem`` and
    ``client.key`` are what its port ``SSL`` asks for; ``other-ca.pem`` vouches for nobody.
    """

    ports: Mapping[str, int]
    folder: Path
    log: Path

    def address(self, security: str, host: str = "127.0.0.1") -> str:
        """One of its ports, with its host."""
        return f"{host}:{self.ports[security]}"

    def tls(self, ca: str = "ca.pem", *, client: bool = False) -> dict[str, Any]:
        """The section ``kafka.tls``."""
        own = {"certificate": f"{self.folder}/client.pem", "key": f"{self.folder}/client.key"}
        return {"ca": f"{self.folder}/{ca}", **(own if client else {})}

    def sasl(self, mechanism: str, password: str = PASSWORD, user: str = USER) -> dict[str, Any]:
        """The section ``kafka.sasl``, with the password in a file."""
        file = self.folder / ("right" if password == PASSWORD else "wrong")
        file.write_text(password + "\n")
        return {"mechanism": mechanism, "username": user, "password": {"file": str(file)}}


@contextmanager
def secured_broker(folder: Path, *java: str) -> Iterator[Secured]:
    """One broker with a port of each kind, which only ``ca.pem`` vouches for; ``java`` are words
    for Java.
    """
    require_kafka()
    openssl = shutil.which("openssl") is not None
    require("openssl", openssl, "openssl is not installed; it makes the broker's certificates")
    _certificates(folder)
    with ExitStack() as stack:
        ports = dict(zip(SECURITY, free_ports(len(SECURITY)), strict=True))
        extras = _listeners(ports, folder)
        extras = replace(extras, java=(*extras.java, *java))
        (node,) = stack.enter_context(cluster(1, extras=extras))
        yield Secured({"PLAINTEXT": node.ports.near, **ports}, folder, node.log)


def _certificates(folder: Path) -> None:
    for name in ("ca", "other-ca"):
        _openssl(folder, name, "-subj", f"/CN={name}")
    for name in ("broker", "client"):
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1"]
        _openssl(folder, name, "-subj", f"/CN={name}", *signed)
    both = [(folder / name).read_text() for name in ("broker.key", "broker.pem")]
    (folder / "broker-store.pem").write_text("".join(both))


def _openssl(folder: Path, name: str, *words: str) -> None:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", *curve, *words]
    files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
    subprocess.run([*command, *files], check=True, capture_output=True, cwd=folder)


def _listeners(ports: Mapping[str, int], folder: Path) -> Extras:
    settings = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": folder / "broker-store.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": folder / "ca.pem",
        "listener.name.ssl.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{USER};User:CN=client",
    }
    for name in ("sasl_ssl", "sasl_plaintext"):
        settings[f"listener.name.{name}.sasl.enabled.mechanisms"] = ",".join(MECHANISMS)
        for mechanism in MECHANISMS:
            key = f"listener.name.{name}.{mechanism.lower()}.sasl.jaas.config"
            settings[key] = _login(mechanism)
    added = [f'{each}=[name={USER},password="{PASSWORD}"]' for each in MECHANISMS[1:]]
    limited = [f"{tenant}{user}" for tenant in TENANTS for user in USERS]
    added += [f'SCRAM-SHA-512=[name={user},password="{PASSWORD}"]' for user in limited]
    words = [word for each in added for word in ("--add-scram", each)]
    return Extras(ports, settings, tuple(words))


def _login(mechanism: str) -> str:
    if mechanism == "PLAIN":
        return f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    return f"{_MODULES}.scram.ScramLoginModule required;"
