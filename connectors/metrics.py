"""``/metrics``: in the OpenMetrics format for whoever asks for it, else in Prometheus' own.

Only OpenMetrics has exemplars: traces that are examples of a bucket.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from stream.declared import PREFIX, SHADOW, TOGETHER

_RULES: Mapping[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min}

OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST
"""What an ``Accept`` header says that asks for it."""


class Exposition(NamedTuple):
    """Figures as text, and which of the two formats it is in."""

    body: bytes
    content_type: str


Ask = Callable[[str], Awaitable[Exposition]]
"""Gives figures in a format that an ``Accept`` header takes."""
_ASK: web.AppKey[Ask] = web.AppKey("ask")


def add_metrics(app: web.Application, ask: Ask) -> None:
    """Answer ``/metrics`` with what ``ask`` gives."""
    app[_ASK] = ask
    app.router.add_get("/metrics", _metrics)


async def _metrics(request: web.Request) -> web.Response:
    body, content_type = await request.app[_ASK](",".join(request.headers.getall("Accept", [])))
    return web.Response(body=body, headers={"Content-Type": content_type})


async def exposed(registry: CollectorRegistry, accept: str) -> Exposition:
    """What ``registry`` holds; not on the event loop, as hundreds of cameras take long."""
    encode, content_type = choose_encoder(accept)
    return Exposition(await asyncio.to_thread(encode, registry), content_type)


@dataclass
class _Sum:
    values: list[float] = field(default_factory=list)
    exemplar: Exemplar | None = None

    def add(self, value: float, exemplar: Exemplar | None) -> None:
        """Of examples the newest is kept."""
        self.values.append(value)
        if exemplar is not None and _time(exemplar) >= _time(self.exemplar):
            self.exemplar = exemplar


def _time(exemplar: Exemplar | None) -> float:
    return float(exemplar.timestamp or 0) if exemplar is not None else 0.0


def summed(texts: Iterable[str], accept: str) -> Exposition:
    """The figures of several processes as those of one: counters and histograms add up.

    ``texts`` are in the OpenMetrics format, with equal buckets. Gauges add up as well, but for
    those of `stream.declared.TOGETHER`.
    """
    families: dict[str, Metric] = {}
    sums: defaultdict[tuple[str, str, tuple[tuple[str, str], ...]], _Sum] = defaultdict(_Sum)
    for text in texts:
        for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
            families.setdefault(family.name, _empty(family))
            for sample in family.samples:
                key = family.name, sample.name, tuple(sorted(sample.labels.items()))
                sums[key].add(sample.value, sample.exemplar)
    for (family_name, name, labels), found in sums.items():
        value = _RULES[_together(name)](found.values)
        families[family_name].add_sample(name, dict(labels), value, exemplar=found.exemplar)
    encode, content_type = choose_encoder(accept)
    return Exposition(encode(_Families(families.values())), content_type)


def _together(name: str) -> Literal["sum", "max", "min"]:
    """How the figures of one name are one: those of a shadow as the others."""
    return TOGETHER.get(name.replace(SHADOW, PREFIX), "sum")


def _empty(family: Metric) -> Metric:
    return Metric(family.name, family.documentation, family.type)


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families
