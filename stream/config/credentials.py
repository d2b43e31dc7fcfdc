"""Names and passwords of cameras, each in a file of its own that says which hosts may have them.

Whoever may add a camera could else lead a password to a host of their own.
"""

import re
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from stream.config.faults import Fault, Origin
from stream.config.redact import shown
from stream.config.yaml_lines import MOST_BYTES, Document, read_yaml
from stream.errors import ConfigError
from stream.specs import CameraSpec, Spec

_ALLOWED = {
    "user": "text without a colon, at most 256 characters",
    "password": "text (one of digits needs quotes)",
    "hosts": "a list of names, addresses and networks, at least one",
}
_NAME = re.compile(r"\w[\w.-]*")
_quoted = partial(quote, safe="")


def _host(text: str) -> str:
    """``text``, unless no host would ever match it."""
    if _NAME.fullmatch(text) is None:
        try:
            ip_network(text)
        except ValueError:
            allowed = "a name, an address, or a network by its first address, as 10.0.3.0/24"
            raise PydanticCustomError("host", allowed) from None
    return text


class Credential(Spec):
    """What a credential's file says. ``hosts`` are names, addresses or networks (10.0.3.0/24)."""

    user: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^:\x00-\x1f]+$")]
    password: SecretStr
    hosts: Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], Field(min_length=1)]

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
    name = camera.credentials
    if folder is None:
        raise ConfigError(f"credentials {name}: the configuration names no folder of credentials")
    path = folder / f"{name}.yaml"
    credential = _read(path, name)
    parts = urlsplit(camera.url)
    host = parts.hostname or ""
    if not credential.may_go_to(host):
        allowed = f"allowed: the hosts of {path}"
        raise ConfigError(f"credentials {name} may not be sent to {host}; {allowed}")
    secret = f"{_quoted(credential.user)}:{_quoted(credential.password.get_secret_value())}"
    return urlunsplit(parts._replace(netloc=f"{secret}@{parts.netloc}"))


def _read(path: Path, name: str) -> Credential:
    try:
        with path.open("rb") as file:
            document = read_yaml(file.read(MOST_BYTES + 1), is_secret=True)
    except OSError as error:
        raise ConfigError(f"credentials {name}: {path}: {error.strerror}") from error
    faults = document.faults
    if not faults:
        try:
            return Credential.model_validate(document.data)
        except ValidationError as error:
            told = error.errors(include_url=False)
            faults = [_fault(each, document) for each in told if not _follows(each)]
    raise Origin(str(path), document.lines).error(map(_without_key, faults))


def _fault(error: ErrorDetails, document: Document) -> Fault:
    """In our own words: pydantic's may hold the password."""
    path, line = error["loc"], document.lines.get(error["loc"])
    allowed = _ALLOWED.get(str(path[0]) if path else "")
    if allowed is None:
        came = "unknown key" if path else "given what is no mapping"
        return Fault(path, f"{came}; allowed: a mapping with {', '.join(_ALLOWED)}", line)
    if error["type"] == "host":
        return Fault(path, f"given {shown(error['input'])}; allowed: {error['msg']}", line)
    came = "missing" if error["type"] == "missing" else "given a value that is not shown"
    return Fault(path, f"{came}; allowed: {allowed}", line)


def _follows(error: ErrorDetails) -> bool:
    """Whether it is only that what is refused does not count: pydantic's list is then too short."""
    return error["type"] == "too_short" and bool(error["input"])


def _without_key(fault: Fault) -> Fault:
    """A key that we do not know may hold the password: ``{password:hunter2}`` has one."""
    is_known = bool(fault.path) and fault.path[0] in _ALLOWED
    return fault if is_known else Fault((), fault.text, fault.line)


def _plain(host: str) -> str:
    return host.rstrip(".").lower()


def _is_in(host: str, allowed: str) -> bool:
    if host == allowed:
        return True
    try:
        return ip_address(host) in ip_network(allowed)
    except ValueError:  # one of them is a name
        return False
