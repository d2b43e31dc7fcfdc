"""Where secrets are read: signing keys of endpoints, passwords."""

import base64
import binascii
import re
from collections.abc import Mapping

from pydantic import SecretBytes, SecretStr

from stream.errors import ConfigError
from stream.specs import EndpointSpec, SecretSource

SHORTEST_KEY = 24
_PREFIX = "whsec_"
_MOST_BYTES = 4096


def signing_key(source: SecretSource, env: Mapping[str, str]) -> SecretBytes:
    """The key that an endpoint's alerts are signed with.

    The secret is base64 with or without ``whsec_`` before it, as the Standard Webhooks
    specification serialises it (24 to 64 bytes), so that the same text works on the receiver's
    side. Raises `ConfigError`, whose message never holds the secret.
    """
    text = _read(source, env).strip().removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"is not base64; allowed: {_ALLOWED}") from error
    if len(key) < SHORTEST_KEY:
        raise ConfigError(f"given {len(key)} bytes; allowed: {_ALLOWED}")
    return SecretBytes(key)


def signing_keys(spec: EndpointSpec, env: Mapping[str, str]) -> list[SecretBytes]:
    """The keys that sign what goes to an endpoint, newest first. Raises as `signing_key` does."""
    sources = (spec.secret, spec.previous_secret)
    return [signing_key(source, env) for source in sources if source is not None]


def password(source: SecretSource, env: Mapping[str, str]) -> SecretStr:
    """The password at ``source``, without a line's end.

    Raises `ConfigError`, whose message never holds it.
    """
    text = _read(source, env).rstrip("\r\n")
    if not text:
        raise ConfigError("is empty; allowed: a password")
    return SecretStr(text)


def bearer_token(source: SecretSource, env: Mapping[str, str]) -> SecretStr:
    """The token that who asks ``web`` has to show, without a line's end.

    Raises `ConfigError`, whose message never holds it.
    """
    text = _read(source, env).strip()
    if not _TOKEN.fullmatch(text):
        raise ConfigError(f"holds what no header takes; allowed: {_ALLOWED_TOKEN}")
    if len(text) < SHORTEST_KEY:
        raise ConfigError(f"given {len(text)} characters; allowed: {_ALLOWED_TOKEN}")
    return SecretStr(text)


_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]*=*")  # RFC 6750, section 2.1
_ALLOWED_TOKEN = (
    f"at least {SHORTEST_KEY} letters, digits and -._~+/= (openssl rand -base64 32 makes one)"
)
_ALLOWED = (
    f"at least {SHORTEST_KEY} bytes in base64, with or without {_PREFIX} "
    "(openssl rand -base64 32 makes one)"
)


def _read(source: SecretSource, env: Mapping[str, str]) -> str:
    if source.env is not None:
        if source.env not in env:
            raise ConfigError(f"environment variable {source.env} is not set")
        return env[source.env]
    assert source.file is not None
    try:
        with source.file.open("rb") as file:
            return file.read(_MOST_BYTES).decode()
    except UnicodeDecodeError:
        raise ConfigError("the file is not UTF-8") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"the file cannot be read: {reason}") from error
