"""Who may ask: only pages and programs that meant this server, and that have its token.

A browser on this machine reaches 127.0.0.1 for every site it shows. The Host header tells a site
whose name was rebound to our address, the Origin header tells any other site; both are refused.
A program shows the token with each request (RFC 6750), a browser once, for a cookie.
"""

import hmac
import logging
import time
from collections.abc import Callable, Collection
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from yarl import URL

from connectors.connection import connection
from connectors.web.problem import Handler, refused
from connectors.web.sessions import Sessions, as_bytes, cookie_name
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
    "Cache-Control": "no-store",
}
PROBES = frozenset({"/livez", "/readyz"})
"""For whoever asks, by whatever name: they tell nothing but how this process is."""
METRICS = "/metrics"
"""For who shows the token by whatever name: Prometheus asks by address, and a site whose name was
rebound has none.
"""
WITHOUT_TOKEN = frozenset({"/login", "/logout", "/static/login.js", "/static/plain.css"})
WRONG_EVERY_S = 60
"""The log says at most so often that wrong tokens come."""
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="maskstream"'}
"""What a 401 has to say (RFC 9110, 15.5.2)."""

_log = logging.getLogger(__name__)


class Access:
    """Who is let in: who comes under one of ``names`` and, where there is a ``token``, has it."""

    def __init__(
        self,
        token: SecretStr | None = None,
        names: Collection[str] = (),
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.has_token = token is not None
        self._token: bytes | None = None
        self.renew(token)
        self._names = frozenset(map(_plain, names))
        self._sessions = Sessions(now_s)
        self._now_s = now_s
        self._wrong, self._told_s = 0, 0.0

    def renew(self, token: SecretStr | None) -> None:
        """From now on this is the token. None: it was taken away, and nobody has it."""
        self._token = None if token is None else token.get_secret_value().encode()

    def answers_to(self, name: str) -> bool:
        """Whether this server goes by ``name``."""
        return is_loopback(name) or _plain(name) in self._names

    def is_token(self, shown: str) -> bool:
        """Whether it is the token; how long this takes tells nothing of it."""
        return self._token is not None and hmac.compare_digest(as_bytes(shown), self._token)

    def tell_wrong(self, request: web.Request) -> None:
        """Say in the log that a wrong token came, and from where."""
        self._wrong += 1
        if self._now_s() - self._told_s >= WRONG_EVERY_S:
            text = "web.token: wrong ones so far: %d, the last from %s"
            _log.warning(text, self._wrong, request.remote)
            self._told_s = self._now_s()

    def begin_session(self) -> tuple[str, str]:
        """The name and the value of a cookie for who has shown the token."""
        assert self._token is not None, "nobody has shown it"
        return cookie_name(self._token), self._sessions.begin(self._token)

    def has_session(self, request: web.Request) -> bool:
        """Whether a request shows a cookie that holds."""
        if self._token is None:
            return False
        cookie = request.cookies.get(cookie_name(self._token), "")
        return self._sessions.holds(cookie, self._token)

    def end_session(self, request: web.Request) -> str | None:
        """Take the cookie of a request no more, and tell its name; None: it shows none that holds.

        Who has no session is not told the name: it is made of the token.
        """
        if self._token is None or not self.has_session(request):
            return None
        name = cookie_name(self._token)
        self._sessions.end(request.cookies[name])
        return name

    def admits(self, request: web.Request) -> bool:
        """Whether a request shows the token, or a cookie that was given for it, where it has to.
        What was right when it came may be so no more: ask again while it lasts.
        """
        if not self.has_token:
            return True
        if _bearer(request) is not None:
            return self.shows_token(request)
        return self.has_session(request)

    def shows_token(self, request: web.Request) -> bool:
        """Whether a request shows the token itself, as only a program does that was given it."""
        shown = _bearer(request)
        return shown is not None and self.is_token(shown)


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
        is_scrape = request.path == METRICS and access.shows_token(request)
        if not is_scrape and not access.answers_to(_name(host)):
            raise refused(403, f"Host {host!r} is not this server; web.hosts lists its names")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}", f"https://{host}"}:
            raise refused(403, f"Origin {origin!r} is another site")
        if access.admits(request):
            connection(request).is_let_in()
        elif request.path not in WITHOUT_TOKEN:
            if "Authorization" in request.headers:
                access.tell_wrong(request)
            raise refused(
                401,
                "Authorization: Bearer TOKEN is missing or wrong; browsers log in at /login",
                CHALLENGE,
            )
        return await handler(request)

    return guarded


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer, refusals included."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _bearer(request: web.Request) -> str | None:
    """What a request shows as its token (RFC 6750)."""
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    return shown.strip() if kind.lower() == "bearer" else None


def _plain(name: str) -> str:
    """A name as it is compared: an address of IPv6 without the brackets that URLs need."""
    return name.lower().removeprefix("[").removesuffix("]")


def _name(host: str) -> str:
    """The name in a Host header, without brackets and port."""
    try:
        return URL(f"http://{host}").host or ""
    except ValueError:
        return ""
