"""Names and passwords of cameras, each in a file of its own that says which hosts may have them.

Whoever may add a camera could else lead a password to a host of their own.
"""

from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError

from stream.config.faults import Origin
from stream.config.yaml_lines import MOST_BYTES, read_yaml
from stream.errors import ConfigError
from stream.specs import CameraSpec, Spec

_ALLOWED = "allowed: a mapping with user, password and hosts (a list of names, addresses, networks)"
_quoted = partial(quote, safe="")


class Credential(Spec):
    """What a credential's file says. ``hosts`` are names, addresses or networks (10.0.3.0/24)."""

    user: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^:\x00-\x1f]+$")]
    password: SecretStr
    hosts: Annotated[tuple[str, ...], Field(min_length=1)]

    def may_go_to(self, host: str) -> bool:
        """Whether ``host``, as a camera's URL names it, is listed. Names are not resolved."""
        return any(_is_in(_plain(host), _plain(each)) for each in self.hosts)


def with_credentials(camera: CameraSpec, folder: Path | None) -> str:
    """The URL of a camera on the network with what its ``credentials`` name in it: a secret.

    It is read anew each time, so that a password may change while everything runs. Raises
    `ConfigError`, whose message holds none, where ``folder`` has no such credential, where its file
    is not right, and where it does not list the camera's host.
    """
    if camera.credentials is None:
        return camera.url
    credential = _read(folder, camera.credentials)
    parts = urlsplit(camera.url)
    host = parts.hostname or ""
    if not credential.may_go_to(host):
        raise ConfigError(f"credentials {camera.credentials} may not be sent to {host}")
    secret = f"{_quoted(credential.user)}:{_quoted(credential.password.get_secret_value())}"
    return urlunsplit(parts._replace(netloc=f"{secret}@{parts.netloc}"))


def _read(folder: Path | None, name: str) -> Credential:
    if folder is None:
        raise ConfigError(f"credentials {name}: the configuration names no folder of credentials")
    path = folder / f"{name}.yaml"
    try:
        with path.open("rb") as file:
            document = read_yaml(file.read(MOST_BYTES + 1))
    except OSError as error:
        raise ConfigError(f"credentials {name}: {path}: {error.strerror}") from error
    if document.faults:
        raise Origin(str(path), document.lines).error(document.faults)
    try:
        return Credential.model_validate(document.data)
    except ValidationError as error:  # its own words may hold the password
        wrong = {".".join(map(str, each["loc"])) or "the file" for each in error.errors()}
        fields = ", ".join(sorted(wrong))
        raise ConfigError(f"{path}: missing or wrong: {fields}; {_ALLOWED}") from None


def _plain(host: str) -> str:
    return host.rstrip(".").lower()


def _is_in(host: str, allowed: str) -> bool:
    if host == allowed:
        return True
    try:
        return ip_address(host) in ip_network(allowed)
    except ValueError:  # one of them is a name
        return False
