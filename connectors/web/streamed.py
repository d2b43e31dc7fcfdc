"""A stored file as the answer to a request: in pieces, and any part of it.

Browsers play a video while it comes and ask for other parts as somebody seeks; Safari plays none
of a server that answers without parts.
"""

import asyncio
import logging

from aiohttp import web

from connectors.evidence import Stored
from connectors.web.problem import Refused, refused
from stream.errors import EvidenceError

PIECE_BYTES = 512 * 1024
"""Read and sent at a time: whoever reads slowly holds two of them at most."""
TAKE_S = 60.0
"""How long a browser may leave a piece. It asks for the rest when it wants to go on."""

_log = logging.getLogger(__name__)


async def send(request: web.Request, stored: Stored, content_type: str) -> web.StreamResponse:
    """Answer with all of ``stored``, or with the part that is asked for (RFC 9110, section 14).

    Raises `Refused` (416) for a part that it does not have, and `EvidenceError` where the store
    gives nothing. What fails later ends the connection: an answer has no other way to say so.
    """
    asked = _asked(request, stored.size)
    part = asked or range(stored.size)
    response = web.StreamResponse(status=206 if asked else 200)
    response.content_type, response.content_length = content_type, len(part)
    response.headers["Accept-Ranges"] = "bytes"
    if asked:
        response.headers["Content-Range"] = f"bytes {part[0]}-{part[-1]}/{stored.size}"
    if request.method == "HEAD":
        return response
    piece = await _piece(stored, part)
    await response.prepare(request)
    try:
        while piece:
            async with asyncio.timeout(TAKE_S):
                await response.write(piece)
            part = part[len(piece) :]
            piece = await _piece(stored, part)
    except (ConnectionError, TimeoutError):
        _hang_up(request)  # as browsers do whenever somebody seeks
    except EvidenceError as error:
        _log.warning("%s: only a part was sent: %s", request.path, error)
        _hang_up(request)
    return response


async def _piece(stored: Stored, part: range) -> bytes:
    ahead = part[:PIECE_BYTES]
    return await stored.read(ahead.start, ahead.stop) if ahead else b""


def _hang_up(request: web.Request) -> None:
    """At once: to close in good order would wait until all that was written is read."""
    if request.transport is not None:
        request.transport.abort()


def _asked(request: web.Request, size: int) -> range | None:
    """The part that is asked for; None for all of it.

    ``If-Range`` names a state of the file, and we name none, so it is never the one that is meant.
    """
    given = request.headers.get("Range", "")
    is_for_bytes = given.partition("=")[0].strip().lower() == "bytes"
    if request.method != "GET" or not is_for_bytes or "If-Range" in request.headers:
        return None
    try:
        part = range(size)[request.http_range]
    except ValueError:
        raise _beyond(given, size) from None
    if not part:
        raise _beyond(given, size)
    return part


def _beyond(given: str, size: int) -> Refused:
    text = f"Range: given {given}; allowed: one range of {size} bytes"
    return refused(416, text, {"Content-Range": f"bytes */{size}"})
