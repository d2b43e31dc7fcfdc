"""Who may ask: only pages and programs that meant this server.

A browser on this machine reaches 127.0.0.1 for every site it shows. The Host header tells a site
whose name was rebound to 127.0.0.1, the Origin header tells any other site; both are refused.
"""

import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

from stream.errors import ConfigError

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def require_loopback(host: str) -> None:
    """Raises `ConfigError` where ``host`` would let other machines in: that needs a token."""
    if not is_loopback(host):
        raise ConfigError(
            f"page host {host}: an address other than loopback needs a token, "
            "which this version does not have; allowed: 127.0.0.1, ::1, localhost"
        )


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine's own name for itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other hosts and origins with 403."""
    host = request.headers.get("Host", "")
    if not is_loopback(_name(host)):
        raise web.HTTPForbidden(text=f"Host {host!r} is not this machine; use 127.0.0.1\n")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        raise web.HTTPForbidden(text=f"Origin {origin!r} is another site\n")
    return await handler(request)


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer, refusals included."""
    response.headers.update(HEADERS)


def _name(host: str) -> str:
    try:
        return URL(f"http://{host}").host or ""
    except ValueError:
        return ""
