"""Who may ask: only pages and programs that meant this server, and that have its token.

A browser on this machine reaches 127.0.0.1 for every site it shows. The Host header tells a site
whose name was rebound to our address, the Origin header tells any other site; both are refused.
A program shows the token with each request (RFC 6750), a browser once, for a cookie.
"""

import hmac
import time
from collections.abc import Callable, Collection
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from yarl import URL

from connectors.web.problem import Handler, refused
from stream.errors import ConfigError
from stream.web_spec import is_loopback

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
PROBES = frozenset({"/livez", "/readyz"})
"""For whoever asks, by whatever name: they tell nothing but how this process is."""
WITHOUT_TOKEN = frozenset({"/login", "/static/plain.css"})
COOKIE = "maskstream"
SESSION_S = 12 * 3600


class Access:
    """Who is let in: who comes under one of ``names`` and, where there is a ``token``, has it.

    The cookie is signed with the token and says until when it holds, so that every process with
    this token takes it, and none does once the token has changed.
    """

    def __init__(
        self,
        token: SecretStr | None = None,
        names: Collection[str] = (),
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.has_token = token is not None
        self._token = token.get_secret_value().encode() if token is not None else b""
        self._names = frozenset(map(_plain, names))
        self._now_s = now_s

    def answers_to(self, name: str) -> bool:
        """Whether this server goes by ``name``."""
        return is_loopback(name) or _plain(name) in self._names

    def is_token(self, shown: str) -> bool:
        """Whether it is the token; how long this takes tells nothing of it."""
        return self.has_token and hmac.compare_digest(_bytes(shown), self._token)

    def session(self) -> str:
        """The value of a cookie."""
        until = str(round(self._now_s()) + SESSION_S)
        return f"{until}.{self._signed(until)}"

    def admits(self, request: web.Request) -> bool:
        """Whether a request shows the token, or a cookie that was given for it."""
        kind, _, shown = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.is_token(shown.strip())
        until, _, signature = request.cookies.get(COOKIE, "").partition(".")
        if not hmac.compare_digest(_bytes(signature), _bytes(self._signed(until))):
            return False
        return int(until) > self._now_s()

    def _signed(self, until: str) -> str:
        return hmac.new(self._token, _bytes(f"session until {until}"), "sha256").hexdigest()


def require_loopback(host: str) -> None:
    """Raises `ConfigError` where ``host`` would let other machines in: that needs a token."""
    if not is_loopback(host):
        raise ConfigError(
            f"page host {host}: an address other than loopback needs a token, set web.token; "
            "allowed without: 127.0.0.1, ::1, localhost"
        )


def guard(access: Access) -> Any:
    """The middleware that refuses other hosts and origins with 403, and strangers with 401."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in PROBES:
            return await handler(request)
        host = request.headers.get("Host", "")
        if not access.answers_to(_name(host)):
            raise refused(403, f"Host {host!r} is not this server; web.hosts lists its names")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}", f"https://{host}"}:
            raise refused(403, f"Origin {origin!r} is another site")
        if access.has_token and request.path not in WITHOUT_TOKEN and not access.admits(request):
            raise refused(
                401,
                "Authorization: Bearer TOKEN is missing or wrong; browsers log in at /login",
                {"WWW-Authenticate": 'Bearer realm="maskstream"'},
            )
        return await handler(request)

    return guarded


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer, refusals included."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a header may hold any bytes


def _plain(name: str) -> str:
    """A name as it is compared: an address of IPv6 without the brackets that URLs need."""
    return name.lower().removeprefix("[").removesuffix("]")


def _name(host: str) -> str:
    """The name in a Host header, without brackets and port."""
    try:
        return URL(f"http://{host}").host or ""
    except ValueError:
        return ""
