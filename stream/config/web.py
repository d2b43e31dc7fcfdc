"""What ``web`` asks of itself beyond its types. As in `stream.config.checks`, the plain document is
read, and what is mistyped is passed over.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from stream.config.faults import Fault
from stream.config.plain import Entry, mapping, string
from stream.config.redact import shown
from stream.config.secrets import bearer_token
from stream.errors import ConfigError
from stream.specs import SecretSource
from stream.web_spec import is_loopback


def web_faults(data: Entry) -> Iterator[Fault]:
    """An address that others reach, without a token."""
    web = mapping(data, "web")
    host = string(web, "host")
    if host and not is_loopback(host) and web.get("token") is None:
        text = f"given {shown(host)}; an address other than loopback needs web.token; "
        yield Fault(("web", "host"), f"{text}allowed without: 127.0.0.1, ::1, localhost")


def web_secret_faults(data: Entry, folder: Path, env: Mapping[str, str]) -> Iterator[Fault]:
    """A token that cannot be read, or is too weak."""
    try:
        source = SecretSource.model_validate(mapping(data, "web").get("token"), context=folder)
        bearer_token(source, env)
    except ValidationError:
        return
    except ConfigError as error:
        yield Fault(("web", "token"), str(error))
