"""The page's server, as the section ``web`` says."""

import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from prometheus_client import CollectorRegistry

from connectors.web import Access, Page, serve
from connectors.web.server import Part
from stream.config import bearer_token
from stream.web_spec import WebSpec


def served(
    page: Page, spec: WebSpec, registry: CollectorRegistry, parts: Sequence[Part]
) -> AbstractAsyncContextManager[str]:
    """Serve ``page`` with what ``parts`` add; yields its URL.

    Raises `ConfigError` for an address that cannot be had, and a token that cannot be read.
    """
    token = None if spec.token is None else bearer_token(spec.token, os.environ)
    access = Access(token, {spec.host, *spec.hosts})
    return serve(
        page, host=spec.host, port=spec.port, registry=registry, access=access, parts=parts
    )
