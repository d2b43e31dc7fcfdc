"""Cookies that stand for a token which was shown once."""

import hmac
import secrets
from collections.abc import Callable

SESSION_S = 12 * 3600


class Sessions:
    """A cookie says until when it holds and is signed with the token: every process with this token
    takes it, and none does once the token has changed. This process takes none that has ended.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._ended: dict[str, int] = {}

    def begin(self, token: bytes) -> str:
        """The value of a new cookie."""
        name = f"{round(self._now_s()) + SESSION_S}.{secrets.token_hex(16)}"
        return f"{name}.{_signature(name, token)}"

    def holds(self, cookie: str, token: bytes) -> bool:
        """Whether a cookie is one of ours that has not ended."""
        name, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(as_bytes(signature), _signature(name, token).encode()):
            return False
        return name not in self._ended and _until(name) > self._now_s()

    def end(self, cookie: str) -> None:
        """Take a cookie of ours no more."""
        now_s = self._now_s()
        self._ended = {name: until for name, until in self._ended.items() if until > now_s}
        name = cookie.rpartition(".")[0]
        self._ended[name] = _until(name)


def cookie_name(token: bytes) -> str:
    """What the cookie of a session is called. Cookies heed no ports: under one name, pages of one
    host with different tokens would overwrite each other's.
    """
    return f"maskstream-{_mac('cookie', token)[:16]}"


def as_bytes(text: str) -> bytes:
    """What came in a header: that may be any bytes."""
    return text.encode("utf-8", "surrogatepass")


def _until(name: str) -> int:
    return int(name.partition(".")[0])


def _signature(name: str, token: bytes) -> str:
    return _mac(f"session {name}", token)


def _mac(text: str, token: bytes) -> str:
    return hmac.new(token, as_bytes(text), "sha256").hexdigest()
