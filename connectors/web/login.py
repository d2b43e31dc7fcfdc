"""Showing the token once, in a browser."""

from importlib.resources import files

from aiohttp import web

from connectors.web.guard import COOKIE, HEADERS, SESSION_S, Access
from connectors.web.problem import Handler, Refused

_FORM = files("connectors.web") / "static" / "login.html"
_POLICY = HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")


def add_login(app: web.Application, access: Access) -> None:
    """Answer ``/login``: the form, and what was filled in."""

    async def log_in(request: web.Request) -> web.Response:
        shown = (await request.post()).get("token")
        if not (isinstance(shown, str) and access.is_token(shown.strip())):
            return _form(401)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(
            COOKIE,
            access.session(),
            max_age=SESSION_S,
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("Origin", "").startswith("https:"),
        )
        return response

    async def form(_: web.Request) -> web.Response:
        return _form(200)

    app.router.add_get("/login", form)
    app.router.add_post("/login", log_in)


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


def _form(status: int) -> web.Response:
    return web.Response(
        text=_FORM.read_text(),
        status=status,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _POLICY,
            "Referrer-Policy": "same-origin",  # without one the form would come from "null"
            "Cache-Control": "no-store",
        },
    )
