"""How large a body may be."""

from stream.errors import TooLargeError
from stream.types import Alert

BODY_BYTES = 20_000
"""Most that a body takes, as Standard Webhooks 1.0.0 recommends ("Payload size")."""


def fits(body: bytes) -> bool:
    """Whether it is small enough."""
    return len(body) <= BODY_BYTES


def checked(alert: Alert, body: bytes) -> bytes:
    """``body`` itself. Raises `TooLargeError` where it is too large."""
    if not fits(body):
        raise TooLargeError(f"alert {alert.id[:80]}: body: {len(body)} bytes > {BODY_BYTES}")
    return body
