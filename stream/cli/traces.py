"""Tracing of a process, where its settings ask for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stream.config import Settings
from stream.errors import ConfigError
from stream.ports import Clock
from stream.tracing import traced_by


@asynccontextmanager
async def traced(settings: Settings, role: str, clock: Clock) -> AsyncIterator[None]:
    """Trace what the body does. Where nothing is to be traced, nothing is loaded for it.

    Raises `ConfigError` where what it takes is not installed.
    """
    spec = settings.traces
    if spec is None or not spec.ratio:
        yield
        return
    try:
        from connectors.tracing import open_tracer
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"traces: given {spec.endpoint}; needs {error.name}: pip install maskstream[traces]"
        ) from error
    async with open_tracer(spec, role, clock) as tracer:
        with traced_by(tracer):
            yield
