"""The page and the API, as the section ``web`` says."""

import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from connectors.web import Access, Page, serve
from connectors.web.api import Board, Segmenting, add_api
from connectors.web.server import Part
from stream.config import bearer_token
from stream.device import Device
from stream.metrics import Metrics
from stream.web_spec import WebSpec


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


def served(
    page: Page, spec: WebSpec, metrics: Metrics, parts: Sequence[Part]
) -> AbstractAsyncContextManager[str]:
    """Serve ``page`` with what ``parts`` add; yields its URL.

    Raises `ConfigError` for an address that cannot be had, and a token that cannot be read.
    """
    token = None if spec.token is None else bearer_token(spec.token, os.environ)
    access = Access(token, {spec.host, *spec.hosts})
    return serve(page, host=spec.host, port=spec.port, metrics=metrics, access=access, parts=parts)
