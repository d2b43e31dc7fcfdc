"""What goes wrong, said as problem details (RFC 9457)."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import Struct

MEDIA_TYPE = "application/problem+json"
HUNG_UP = 499
"""What a client got that left before its answer: HTTP has no number for it, nginx has this one."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


class Problem(Struct, frozen=True, omit_defaults=True):
    """Why there is no better answer. ``field`` is the parameter, header or part of the body that
    is wrong, with what came (``given``) and what is ``allowed``.
    """

    title: str
    status: int
    detail: str
    field: str = ""
    given: str = ""
    allowed: str = ""


class Refused(Exception):  # noqa: N818 - what is refused is no fault of ours
    """Ends a request with a `Problem`."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = headers or {}


def refused(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Refused:
    """To be raised: no field is to blame."""
    return Refused(Problem(HTTPStatus(status).phrase, status, detail), headers)


def wrong(field: str, given: str, allowed: str, status: int = 400) -> Refused:
    """To be raised where ``field`` is to blame."""
    detail = f"{field}: given {given}; allowed: {allowed}"
    return Refused(Problem(HTTPStatus(status).phrase, status, detail, field, given, allowed))


def answer(problem: Problem, headers: Mapping[str, str]) -> web.Response:
    """A problem on HTTP."""
    return web.Response(
        body=msgspec.json.encode(problem),
        status=problem.status,
        headers={**headers, "Content-Type": MEDIA_TYPE},
    )


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say every refusal as a problem, and a fault of ours without what is inside."""
    try:
        return await handler(request)
    except Refused as error:
        return answer(error.problem, error.headers)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        told = refused(error.status, _said(error, request))
        kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return answer(told.problem, kept)
    except Exception:
        if request.writer.output_size:  # it has been answered; aiohttp logs it and hangs up
            raise
        # As it came: what is escaped in it may be a line's end, or what moves a terminal's cursor.
        _log.exception("%s %s", request.method, request.rel_url.raw_path)
        return answer(
            refused(500, "an internal error; the log of the server says more").problem, {}
        )


@web.middleware
async def as_theirs(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lay at the client's door what went wrong on its side: it left, or its body is not what its
    head says.
    """
    try:
        return await handler(request)
    except web.RequestPayloadError as error:
        request.content.feed_eof()  # else aiohttp reads on, and logs the same fault as its own
        request.protocol.close()  # where the next request would begin nobody knows
        raise refused(400, f"body: {error}", {"Connection": "close"}) from None
    except ConnectionError:
        if request.transport is not None and not request.transport.is_closing():
            raise
        return web.Response(status=HUNG_UP)


def _said(error: web.HTTPException, request: web.Request) -> str:
    match error.status:
        case 404:
            return "there is nothing here; /v1/openapi.json says what there is"
        case 405:
            return f"{request.method} is not for this path; allowed: {error.headers['Allow']}"
    return error.text or error.reason
