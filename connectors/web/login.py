"""Showing the token once, in a browser, and leaving again."""

import asyncio
from importlib.resources import files
from urllib.parse import parse_qs

from aiohttp import web

from connectors.web.guard import CHALLENGE, HEADERS, Access
from connectors.web.problem import Handler, Refused, refused
from connectors.web.sessions import SESSION_S

_FORM = files("connectors.web") / "static" / "login.html"
_POLICY = HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")
_FROM_LINKS = "Lax"
"""A link in a chat or on a dashboard leads to the page and not to the form; nothing but following
one brings the cookie from another site, and what a GET answers changes nothing."""
_FIELD = "autofocus>"
_WRONG = """autofocus aria-invalid="true" aria-describedby="wrong">
      <p id="wrong" role="alert">That is not the token.</p>"""
MOST_BYTES = 16_384
"""Of what strangers may send; a token has at most 4 096, which a form may write as three each."""
BODY_S = 10.0
"""How long it may take to come."""


def add_login(app: web.Application, access: Access) -> None:
    """Answer ``/login``, the form and what was filled in, and ``/logout``."""

    async def log_in(request: web.Request) -> web.Response:
        if not access.is_token(await _shown(request)):
            access.tell_wrong(request)
            return _form(401, _WRONG)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(
            *access.begin_session(),
            max_age=SESSION_S,
            httponly=True,
            samesite=_FROM_LINKS,
            secure=_is_over_tls(request),
        )
        return response

    async def log_out(request: web.Request) -> web.Response:
        response = web.Response(status=204)
        if (name := access.end_session(request)) is not None:
            secure = _is_over_tls(request)
            response.del_cookie(name, httponly=True, samesite=_FROM_LINKS, secure=secure)
        return response

    async def form(request: web.Request) -> web.Response:
        if access.has_session(request):
            return web.Response(status=303, headers={"Location": "/"})
        return _form(200)

    app.router.add_get("/login", form)
    app.router.add_post("/login", log_in)
    app.router.add_post("/logout", log_out)


async def _shown(request: web.Request) -> str:
    """What was filled in, if anything. Strangers get no more room and time than that takes."""
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.clone(client_max_size=MOST_BYTES).read()
    except TimeoutError:
        raise refused(408, f"the body took longer than {BODY_S:g} s to come") from None
    fields = parse_qs(body.decode(errors="replace"))
    return fields.get("token", [""])[0].strip()


def _is_over_tls(request: web.Request) -> bool:
    return request.headers.get("Origin", "").startswith("https:")


@web.middleware
async def ask_browsers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Show the form to somebody who opens a page without the token."""
    try:
        return await handler(request)
    except Refused as error:
        wants_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if error.problem.status == 401 and wants_page:
            return _form(401)
        raise


def _form(status: int, field: str = _FIELD) -> web.Response:
    return web.Response(
        text=_FORM.read_text().replace(_FIELD, field),
        status=status,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _POLICY,
            "Referrer-Policy": "same-origin",  # without one the form would come from "null"
            **(CHALLENGE if status == 401 else {}),
        },
    )
