"""The cards of this machine in the metrics, while a role runs that may use them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from connectors.nvml import Card, Cards, open_cards
from stream.cli.embedded import beside
from stream.metrics import Metrics
from stream.ports import Clock

SAMPLE_S = 1.0


@asynccontextmanager
async def cards_watched(metrics: Metrics, clock: Clock) -> AsyncIterator[None]:
    """Sample them each second; without a card, nothing is told of any."""
    with open_cards() as cards:
        if cards is None:
            yield
            return
        async with beside(_watch(cards, metrics, clock)):
            yield


async def _watch(cards: Cards, metrics: Metrics, clock: Clock) -> None:
    while True:
        tell(await asyncio.to_thread(cards.sample), metrics)
        await clock.sleep(SAMPLE_S)


def tell(cards: Sequence[Card], metrics: Metrics) -> None:
    """Show what was sampled, and nothing that a card does not tell any more."""
    for card in cards:
        _show(metrics.gpu_busy, card.index, card.busy)
        _show(metrics.gpu_memory_used, card.index, card.used)
        _show(metrics.gpu_memory, card.index, card.memory)


def _show(gauge: Gauge, index: int, figure: float | None) -> None:
    if figure is None:
        gauge.remove(str(index))
    else:
        gauge.labels(str(index)).set(figure)
