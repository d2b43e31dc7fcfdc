"""What the work under way is about: a role, a camera, an alert. It is told with all that is logged.

It follows the work into its tasks and into `asyncio.to_thread`, and ends with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_known: ContextVar[Mapping[str, str]] = ContextVar("known", default=_NOTHING)


@contextmanager
def about(**words: str) -> Iterator[None]:
    """The body is about this, besides what is known already: ``about(camera="hall")``."""
    token = _known.set({**_known.get(), **words})
    try:
        yield
    finally:
        _known.reset(token)


def known() -> Mapping[str, str]:
    """What the work under way is about."""
    return _known.get()
