"""Every edge of maskstream with the outside; one module for each outside thing.

`open_transport` is the table of URL schemes. A connector is imported when its scheme is asked for,
so that a role installs and loads only what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from stream.config import Settings
from stream.errors import ConfigError
from stream.ports import Transport

if TYPE_CHECKING:
    from connectors.kafka import KafkaTransport

TRANSPORTS = {
    "memory": "connectors.memory:open_memory",
    "kafka": "connectors.kafka:KafkaTransport",
}
"""URL scheme → ``module:callable`` that makes the transport of settings."""


def open_transport(settings: Settings) -> Transport:
    """The transport that the settings name. Raises `ConfigError` where it cannot be as they say."""
    scheme = urlsplit(settings.transport).scheme
    module, _, name = TRANSPORTS[scheme].partition(":")
    try:
        opener = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"transport: given {settings.transport}; needs {error.name}: "
            f"pip install maskstream[{scheme}]"
        ) from error
    transport: Transport = opener(settings)
    return transport


def open_kafka(settings: Settings) -> "KafkaTransport":
    """The transport of ``kafka://`` settings, for what a broker alone can do or say."""
    return cast("KafkaTransport", open_transport(settings))
