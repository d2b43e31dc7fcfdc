"""Every edge of maskstream with the outside; one module for each outside thing.

`open_transport` is the table of URL schemes. A connector is imported when its scheme is asked for,
so that a role installs and loads only what it needs.
"""

from importlib import import_module
from urllib.parse import urlsplit

from stream.config import Settings
from stream.ports import Transport

TRANSPORTS = {
    "memory": "connectors.memory:open_memory",
    "kafka": "connectors.kafka:KafkaTransport",
}
"""URL scheme → ``module:callable`` that makes the transport of settings."""


def open_transport(settings: Settings) -> Transport:
    """The transport that the settings name. Raises `ConfigError` where it cannot be as they say."""
    module, _, name = TRANSPORTS[urlsplit(settings.transport).scheme].partition(":")
    transport: Transport = getattr(import_module(module), name)(settings)
    return transport
