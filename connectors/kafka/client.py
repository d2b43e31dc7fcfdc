"""What every Kafka client of this process has in common: brokers, name, encryption, login."""

import os
import ssl
from collections.abc import Mapping
from typing import Any

from stream.config import password
from stream.errors import ConfigError
from stream.kafka_spec import KafkaSpec, SaslSpec, TlsSpec

REQUEST_TIMEOUT_MS = 15_000
"""A broker that says nothing for so long is asked again: well under the 30 s in which work is to
resume after a cut network, well over what a busy broker takes."""

FETCH_BYTES = 1 << 20
"""What is read ahead of a partition: 48 of them stay under 50 MB. A larger record comes alone
(KIP-74), so it is no limit to pictures."""


def client_options(url: str, spec: KafkaSpec) -> dict[str, Any]:
    """The options that aiokafka's consumer, producer and admin client share.

    Raises `ConfigError` where a certificate or password cannot be read.
    """
    return {
        "bootstrap_servers": url.removeprefix("kafka://").split(","),
        "client_id": spec.client_id,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "security_protocol": _protocol(spec),
        "ssl_context": _context(spec.tls),
        **_login(spec.sasl, os.environ),
    }


def _protocol(spec: KafkaSpec) -> str:
    line = "PLAINTEXT" if spec.tls is None else "SSL"
    return line if spec.sasl is None else f"SASL_{line}"


def _context(spec: TlsSpec | None) -> ssl.SSLContext | None:
    if spec is None:
        return None
    try:
        context = ssl.create_default_context(cafile=spec.ca)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"kafka.tls.ca: given {spec.ca}: {error.strerror}; allowed: certificates in PEM"
        ) from None
    if spec.certificate is not None:
        _identify(context, spec)
    return context


def _identify(context: ssl.SSLContext, spec: TlsSpec) -> None:
    assert spec.certificate is not None
    try:
        # Without a password given here, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(spec.certificate, spec.key, password="")
    except OSError as error:
        raise ConfigError(
            f"kafka.tls: given certificate {spec.certificate} and key {spec.key}: "
            f"{error.strerror}; allowed: a certificate and its key, in PEM, without a password"
        ) from None


def _login(spec: SaslSpec | None, env: Mapping[str, str]) -> dict[str, Any]:
    if spec is None:
        return {}
    try:
        secret = password(spec.password, env)
    except ConfigError as error:
        raise ConfigError(f"kafka.sasl.password: {error}") from None
    return {
        "sasl_mechanism": spec.mechanism,
        "sasl_plain_username": spec.username,
        "sasl_plain_password": secret.get_secret_value(),
    }
