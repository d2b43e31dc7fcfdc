"""The HTTP API: masks of single pictures, cameras, alerts, and the document that describes it.

`Segmenting` and `Board` answer, `add_api` puts what they answer on a server, with its document::

    board = Board(page)
    add = partial(add_api, operations=[*board.operations(), segmenting.operation], with_token=True)
    async with serve(page, access=access, parts=[add]): ...
"""

from collections.abc import Sequence

import msgspec
from aiohttp import web

from connectors.web.api.board import Board
from connectors.web.api.document import document
from connectors.web.api.manual import manual
from connectors.web.api.operation import Operation
from connectors.web.api.pictures import JSON
from connectors.web.api.segmenting import Segmenting

__all__ = ["Board", "Segmenting", "add_api"]


def add_api(app: web.Application, operations: Sequence[Operation], *, with_token: bool) -> None:
    """Answer ``operations``, ``/v1/openapi.json`` and ``/v1/``, the same for people."""
    described = document(operations, with_token=with_token)
    text, page = msgspec.json.encode(described), manual(described)

    async def openapi(_: web.Request) -> web.Response:
        return web.Response(body=text, content_type=JSON)

    async def people(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app.router.add_get("/v1/openapi.json", openapi)
    app.router.add_get("/v1/", people)
    for each in operations:
        app.router.add_route(each.method, each.path, each.__call__)
        if each.method == "GET":
            app.router.add_route("HEAD", each.path, each.__call__)
