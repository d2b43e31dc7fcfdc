"""What cards do, as their driver tells: made-up answers of two cards, and those of a real one."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from connectors.clock import SteadyClock
from connectors.memory import MemoryTransport
from connectors.nvml import Card, Cards, open_cards
from stream.cli.cards import cards_watched, tell
from stream.cli.pipeline import Common
from stream.cli.roles import at_work
from stream.config import parse
from stream.health import Health
from stream.metrics import Metrics
from stream.registry import Listed
from stream.rulebook import Rulebook
from tests.support.clock import VirtualClock
from tests.support.models import BrightModel
from tests.support.required import require

GIB = 2**30


class NVMLError(Exception):
    """As nvidia-ml-py's."""


class MadeUp:
    """The part of nvidia-ml-py that is used; answers from ``samples``, by card. Those in ``lost``
    fell off their bus.
    """

    NVMLError = NVMLError

    def __init__(
        self, samples: Mapping[int, Mapping[str, Any]], lost: Collection[int] = ()
    ) -> None:
        self.samples = samples
        self.lost = lost
        self.is_open = False

    def nvmlInit(self) -> None:
        self.is_open = True

    def nvmlShutdown(self) -> None:
        self.is_open = False

    def nvmlDeviceGetCount(self) -> int:
        return len(self.samples)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index in self.lost:
            raise NVMLError("GPU is lost")
        return index

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return self._answer(handle, "memory")

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        return self._answer(handle, "rates")

    def _answer(self, handle: int, what: str) -> Any:
        if what not in self.samples[handle]:
            raise NVMLError("Not Supported")
        return SimpleNamespace(**self.samples[handle][what])


BUSY = {
    "memory": {"total": 80 * GIB, "used": 6 * GIB, "free": 74 * GIB},
    "rates": {"gpu": 87, "memory": 31},
}
SPLIT = {"memory": {"total": 10 * GIB, "used": GIB, "free": 9 * GIB}}


def figures(metrics: Metrics) -> dict[tuple[str, str], float]:
    return {
        (each.name.removeprefix("maskstream_gpu_"), each.labels["gpu"]): each.value
        for family in (metrics.gpu_busy, metrics.gpu_memory_used, metrics.gpu_memory)
        for metric in family.collect()
        for each in metric.samples
    }


def test_each_card_tells_what_it_can() -> None:
    assert Cards(MadeUp({0: BUSY, 1: SPLIT})).sample() == [
        Card(0, 0.87, 6 * GIB, 80 * GIB),
        Card(1, None, GIB, 10 * GIB),
    ]


def test_what_a_card_tells_no_more_is_told_no_more() -> None:
    metrics, cards = Metrics(), MadeUp({0: BUSY, 1: SPLIT})
    tell(Cards(cards).sample(), metrics)
    assert figures(metrics) == {
        ("busy_ratio", "0"): 0.87,
        ("memory_used_bytes", "0"): 6 * GIB,
        ("memory_bytes", "0"): 80 * GIB,
        ("memory_used_bytes", "1"): GIB,
        ("memory_bytes", "1"): 10 * GIB,
    }
    cards.samples = {0: {}, 1: SPLIT}
    tell(Cards(cards).sample(), metrics)
    assert {card for _, card in figures(metrics)} == {"1"}


@pytest.mark.gpu
async def test_a_real_card_tells() -> None:
    import torch

    require("gpu", torch.cuda.is_available(), "no CUDA device")
    require("gpu", find_spec("pynvml") is not None, "nvidia-ml-py is not installed")
    held = torch.zeros(GIB, dtype=torch.uint8, device="cuda")
    metrics = Metrics()
    async with cards_watched(metrics, VirtualClock()), asyncio.timeout(30):
        while not figures(metrics):  # noqa: ASYNC110 - a thread tells
            await asyncio.sleep(0.01)
    found = figures(metrics)
    assert 0 <= found["busy_ratio", "0"] <= 1
    assert held.nbytes <= found["memory_used_bytes", "0"] <= found["memory_bytes", "0"]


def install(cards: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have them be what nvidia-ml-py finds."""
    module = ModuleType("pynvml")
    module.__spec__ = ModuleSpec("pynvml", None)
    for name in ("NVMLError", *(each for each in dir(cards) if each.startswith("nvml"))):
        setattr(module, name, getattr(cards, name))
    monkeypatch.setitem(sys.modules, "pynvml", module)


async def test_cards_that_cannot_be_asked_cost_figures_and_no_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cards = MadeUp({0: BUSY, 1: SPLIT}, lost=[1])
    install(cards, monkeypatch)
    caplog.set_level(logging.WARNING)
    metrics = Metrics()
    async with cards_watched(metrics, VirtualClock()):
        assert cards.is_open
    assert not cards.is_open
    assert figures(metrics) == {}
    assert caplog.messages == ["cards cannot be measured: GPU is lost"]


async def test_whoever_has_a_model_at_work_tells_of_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """`segment`, and `web` where it makes masks of pictures that are sent to it."""
    install(MadeUp({0: BUSY}), monkeypatch)

    @asynccontextmanager
    async def opened(_: Common) -> AsyncIterator[BrightModel]:
        yield BrightModel()

    settings = parse("model: {weights: x}\ncameras: [{id: hall, url: hall.mp4}]\n", "c.yaml")
    clock, metrics = SteadyClock(), Metrics()
    rulebook, registry = Rulebook((), ()), Listed(settings.cameras)
    common = Common(settings, rulebook, registry, MemoryTransport(), clock, metrics)
    async with asyncio.timeout(30), at_work(common, Health(), opened):
        while not figures(metrics):  # noqa: ASYNC110 - a thread tells
            await asyncio.sleep(0.01)
    assert figures(metrics)["busy_ratio", "0"] == 0.87


async def test_where_there_is_no_card_nothing_is_told() -> None:
    with open_cards() as cards:
        if cards is not None:
            pytest.skip("there is a card")
    metrics = Metrics()
    async with cards_watched(metrics, VirtualClock()):
        await asyncio.sleep(0)
    assert figures(metrics) == {}
