"""A first word with the brokers, for its answer: why none of them takes us.

aiokafka's clients say only that nobody could be reached; the reason goes to its log.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from connectors.kafka.refusals import failed
from stream.errors import ConnectError


async def greet(options: Mapping[str, Any]) -> None:
    """Return as soon as one of the brokers takes a client with ``options``.

    Raises `ConnectError` with a line for each broker where none does: what it said, and which
    setting to check.
    """
    servers = options["bootstrap_servers"]
    asking = [asyncio.create_task(_refusal(server, options)) for server in servers]
    refusals = []
    try:
        for answer in asyncio.as_completed(asking):
            refusal = await answer
            if refusal is None:
                return
            refusals.append(refusal)
    finally:
        for each in asking:
            each.cancel()
    raise ConnectError("\n".join(f"kafka: {each}" for each in refusals))


def unreachable(options: Mapping[str, Any], error: KafkaError) -> Exception:
    """For brokers that took us and then failed, or do not let us do what we need to."""
    return failed(options, error, ", ".join(options["bootstrap_servers"]))


async def _refusal(server: str, options: Mapping[str, Any]) -> str | None:
    host, _, port = server.rpartition(":")
    own = {key: value for key, value in options.items() if key != "bootstrap_servers"}
    try:
        connection = await create_conn(host, int(port), **own)
        try:
            await connection.send(MetadataRequest([]))  # the first that needs a login
        finally:
            connection.close()
    except (KafkaError, OSError) as error:  # TimeoutError and ssl.SSLError are OSErrors
        return f"{server}: {_why(error, options)}"
    return None


def _why(error: BaseException, options: Mapping[str, Any]) -> str:
    match _root(error):
        case ssl.SSLCertVerificationError() as found:
            told = f"its certificate is refused: {found.verify_message.rstrip('.')}"
            check = "kafka.tls.ca and the host's name"
        case ssl.SSLError() as found:
            told, check = f"no encryption: {found.reason or found}", "kafka.tls and the port"
        case SaslAuthenticationFailed() as found:
            told = f"the login is refused: {', '.join(map(str, found.args))}"
            check = "kafka.sasl"
        case UnsupportedSaslMechanismError():
            told = f"takes no login by {options['sasl_mechanism']}"
            check = "kafka.sasl.mechanism"
        case IllegalSaslStateError():
            told, check = "takes no login", "kafka.sasl and the port"
        case KafkaConnectionError() | EOFError() | ConnectionResetError():
            told = f"hung up on {options['security_protocol']}"
            check = "kafka.tls, kafka.sasl and the port"
        case TimeoutError():
            told = f"no answer within {options['request_timeout_ms'] / 1e3:g} s"
            check = "transport"
        case found:
            told, check = str(found) or type(found).__name__, "transport"
    return f"{told}; check {check}"


def _root(error: BaseException) -> BaseException:
    """What a lost connection was lost for, where aiokafka knows it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
