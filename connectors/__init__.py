"""Every edge of maskstream with the outside; one module for each outside thing.

`open_transport` is the table of URL schemes. A connector is imported when its scheme is asked for,
so that a role installs and loads only what it needs.
"""

from importlib import import_module
from urllib.parse import urlsplit

from stream.errors import ConfigError
from stream.ports import Transport

TRANSPORTS = {"memory": "connectors.memory:MemoryTransport"}
"""URL scheme → ``module:callable`` that opens the transport."""


def open_transport(url: str) -> Transport:
    """The transport behind ``url``. Raises `ConfigError` for an unknown scheme."""
    scheme = urlsplit(url).scheme
    if scheme not in TRANSPORTS:
        allowed = ", ".join(f"{name}://" for name in TRANSPORTS)
        raise ConfigError(f"transport: given {url!r}; allowed: {allowed}")
    module, _, name = TRANSPORTS[scheme].partition(":")
    transport: Transport = getattr(import_module(module), name)()
    return transport
