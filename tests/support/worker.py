"""A worker without work, to be started by `connectors.workers.started`.

``python -m tests.support.worker NUMBER DESCRIPTOR CAMERAS WORD``. It counts a result of each of
the ``CAMERAS``. Then, as ``WORD`` says, it is ``ready``, waits for ``partitions`` for ever, is
``deaf`` to its stop, gives figures once and then ``fails`` to, or ends with the exit code that
``WORD`` is once it is asked to stop.
"""

import asyncio
import sys
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.registry import Collector

from connectors.clock import SteadyClock
from connectors.health import serve_health
from stream.cli.parent import Parent
from stream.health import Health
from stream.metrics import Metrics
from stream.specs import HealthSpec


class _Once(Collector):
    """Gives no figures, and fails to from the second time on."""

    def __init__(self) -> None:
        self._was_asked = False

    def collect(self) -> Iterator[Metric]:
        if self._was_asked:
            raise OSError("as /proc may")
        self._was_asked = True
        yield from ()


async def _work(descriptor: int, cameras: list[str], word: str) -> int:
    parent, metrics, stop = Parent(descriptor), Metrics(), asyncio.Event()
    parent.may_stop(stop)
    for camera in cameras:
        metrics.results.labels(camera).inc()
        metrics.result_age.labels(camera).observe(0.3)
    if word == "fails":
        metrics.registry.register(_Once())
    health = Health(["partitions"] if word == "partitions" else [])
    async with serve_health(health, SteadyClock(), metrics.registry, HealthSpec()) as url:
        parent.tell(url)
        await stop.wait()
        if word == "deaf":
            await asyncio.Event().wait()
    return int(word) if word.isdigit() else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_work(int(sys.argv[2]), sys.argv[3].split(","), sys.argv[4])))
