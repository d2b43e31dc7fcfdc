"""The page and the API, as the section ``web`` says."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from pydantic import SecretStr

from connectors.web import Access, Page, serve
from connectors.web.api import Board, Segmenting, add_api
from connectors.web.server import Part
from stream.cli.embedded import beside
from stream.config import bearer_token
from stream.device import Device
from stream.errors import ConfigError
from stream.metrics import Metrics
from stream.specs import SecretSource
from stream.web_spec import WebSpec

LOOK_S = 0.5
"""How often the file with the token is read. What it says counts once it said so twice: while it is
written it may be empty."""

_log = logging.getLogger(__name__)


def segmenting(device: Device, spec: WebSpec) -> Segmenting:
    """What answers pictures with what the ``device`` says, which runs beside it.

    They wait as those of files do: live cameras go first. They are of no camera.
    """
    ask = partial(device.segment, None, False)
    return Segmenting(device.model, ask, spec)


def api(board: Board, pictures: Segmenting | None, spec: WebSpec) -> Part:
    """The API; without ``pictures`` there is no model."""
    operations = board.operations()
    if pictures is not None:
        operations.insert(0, pictures.operation)
    return partial(add_api, operations=operations, with_token=spec.token is not None)


@asynccontextmanager
async def served(
    page: Page, spec: WebSpec, metrics: Metrics, parts: Sequence[Part]
) -> AsyncIterator[str]:
    """Serve ``page`` with what ``parts`` add; yields its URL. A token in a file is followed.

    Raises `ConfigError` for an address that cannot be had, and a token that cannot be read.
    """
    token = None if spec.token is None else bearer_token(spec.token, os.environ)
    access = Access(token, {spec.host, *spec.hosts})
    serving = serve(
        page, host=spec.host, port=spec.port, metrics=metrics, access=access, parts=parts
    )
    async with AsyncExitStack() as stack:
        if spec.token is not None and spec.token.file is not None:
            await stack.enter_async_context(beside(_renew(access, spec.token, token)))
        yield await stack.enter_async_context(serving)


async def _renew(access: Access, source: SecretSource, token: SecretStr | None) -> None:
    """A file that cannot be read, or holds no token, is a token that was taken away."""
    seen = token
    while True:
        await asyncio.sleep(LOOK_S)
        before, why = seen, ""
        try:
            seen = await asyncio.to_thread(bearer_token, source, os.environ)
        except ConfigError as error:
            seen, why = None, str(error)
        if seen == token or seen != before:
            continue
        token = seen
        access.renew(token)
        if token is None:
            _log.error("web.token: %s: %s; nobody is let in until it is right", source.file, why)
        else:
            _log.warning("web.token: %s has another; the one before is worth nothing", source.file)
