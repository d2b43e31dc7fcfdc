"""What is said where brokers do not let us do something, or fail at it."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from stream.errors import ConnectError, ForbiddenError

REFUSALS = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
_ADVICE = "maskstream topics acls CONFIG prints what each role needs"


def failed(options: Mapping[str, Any], error: KafkaError, what: str) -> Exception:
    """For brokers that took us and then failed at ``what``, or do not let us do it any more."""
    if isinstance(error, REFUSALS):
        return forbidden(options, [f"{what}: {error}"])
    return ConnectError(f"kafka: {what}: {error}")


def forbidden(options: Mapping[str, Any], refused: Iterable[str]) -> ForbiddenError:
    """A line for each thing that is ``refused``, with whom brokers take us for."""
    user = _user(options)
    return ForbiddenError("\n".join([*(f"kafka: {user}: {each}" for each in refused), _ADVICE]))


def _user(options: Mapping[str, Any]) -> str:
    if "sasl_plain_username" in options:
        return f"user {options['sasl_plain_username']}"
    return "whoever connects without kafka.sasl"
