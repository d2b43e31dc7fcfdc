"""``/metrics`` in Prometheus' text format."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from stream.metrics import TOGETHER

_RULES: Mapping[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min}

Ask = Callable[[], Awaitable[bytes]]
_ASK: web.AppKey[Ask] = web.AppKey("ask")


def add_metrics(app: web.Application, ask: Ask) -> None:
    """Answer ``/metrics`` with the text that ``ask`` gives."""
    app[_ASK] = ask
    app.router.add_get("/metrics", _metrics)


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(
        body=await request.app[_ASK](), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


async def exposed(registry: CollectorRegistry) -> bytes:
    """What ``registry`` holds, as text; not on the event loop, as hundreds of cameras take long."""
    return await asyncio.to_thread(generate_latest, registry)


def summed(texts: Iterable[str]) -> bytes:
    """The figures of several processes as those of one: counters and histograms add up.

    ``texts`` are in Prometheus' text format, with equal buckets. When a figure was begun
    (``_created``) is when the first process began it. Gauges add up as well, but for those of
    `stream.metrics.TOGETHER`.
    """
    families: dict[str, Metric] = {}
    values: defaultdict[tuple[str, str, tuple[tuple[str, str], ...]], list[float]]
    values = defaultdict(list)
    for text in texts:
        for family in text_string_to_metric_families(text):
            families.setdefault(family.name, _empty(family))
            for sample in family.samples:
                key = family.name, sample.name, tuple(sorted(sample.labels.items()))
                values[key].append(sample.value)
    for (family_name, name, labels), found in values.items():
        families[family_name].add_sample(name, dict(labels), _RULES[_rule(name)](found))
    return generate_latest(_Families(families.values()))


def _rule(name: str) -> str:
    return "min" if name.endswith("_created") else TOGETHER.get(name, "sum")


def _empty(family: Metric) -> Metric:
    return Metric(family.name, family.documentation, family.type)


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families
