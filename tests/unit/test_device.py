"""Keeping the device busy: views in, instances out, several batches in flight."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from connectors.clock import SteadyClock
from stream.device import Device
from stream.halving import Instances
from stream.metrics import Metrics
from stream.ports import Model, View, Window
from stream.stages import Spent, untold
from stream.types import Pixels
from tests.support.build import picture
from tests.support.models import BrightModel
from tests.support.topics import PATIENCE_S, settle


class GatedModel(BrightModel):
    """Answers a batch only once it is let through; remembers how many it held at once."""

    def __init__(self, batch_size: int, in_flight: int) -> None:
        super().__init__(batch_size, in_flight)
        self.gate = asyncio.Event()
        self.held = self.most_held = 0

    async def segment(self, batch: Sequence[View], spent: Spent = untold) -> list[Instances]:
        self.held += 1
        self.most_held = max(self.most_held, self.held)
        await self.gate.wait()
        self.held -= 1
        return await super().segment(batch, spent)


class BrokenModel(BrightModel):
    async def segment(self, batch: Sequence[View], spent: Spent = untold) -> list[Instances]:
        raise RuntimeError(f"cannot do {len(batch)}")


def view(pixels: Pixels) -> View:
    height, width = pixels.shape[:2]
    return View(pixels, Window(0, 0, width, height))


def bright(column: int) -> View:
    """A view with one bright rectangle that tells it from others."""
    return view(picture((column, 4, column + 3, 9)))


@asynccontextmanager
async def running(model: Model) -> AsyncIterator[tuple[Device, Metrics]]:
    metrics = Metrics()
    device = Device(model, SteadyClock(), metrics)
    task = asyncio.create_task(device.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield device, metrics
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def columns(answers: Sequence[Instances]) -> list[float]:
    return [instances[0].box[0] for instances in answers]


async def test_each_view_gets_its_own_answer() -> None:
    async with running(BrightModel(batch_size=4, in_flight=2)) as (device, _):
        views = [bright(column) for column in range(10)]
        answers = await asyncio.gather(*(device.segment("hall", True, each) for each in views))
    assert columns(answers) == list(range(10))


async def test_views_that_wait_share_a_batch() -> None:
    model = BrightModel(batch_size=4)
    async with running(model) as (device, metrics):
        views = [bright(column) for column in range(8)]
        await asyncio.gather(*(device.segment("hall", True, each) for each in views))
    assert model.batches == [4, 4]
    count = metrics.registry.get_sample_value("maskstream_batch_size_views_count")
    views_sum = metrics.registry.get_sample_value("maskstream_batch_size_views_sum")
    assert (count, views_sum) == (2, 8)


class TellingModel(BrightModel):
    """Says of each batch that it was in the network."""

    async def segment(self, batch: Sequence[View], spent: Spent = untold) -> list[Instances]:
        spent("segment_network", 1000)
        return await super().segment(batch, spent)


@pytest.mark.parametrize(
    ("cameras", "waits", "batches"), [([None, None], 0, 0), (["hall", None], 1, 1)]
)
async def test_only_frames_of_cameras_count(
    cameras: list[str | None], waits: int, batches: int
) -> None:
    """A picture that somebody sent may share the batch of a frame, which counts as a whole."""
    async with running(TellingModel(batch_size=2)) as (device, metrics):
        looks = (device.segment(camera, False, bright(4)) for camera in cameras)
        assert columns(await asyncio.gather(*looks)) == [4, 4]
    count = metrics.registry.get_sample_value
    assert (count("maskstream_stage_seconds_count", {"stage": "segment_wait"}) or 0) == waits
    assert (count("maskstream_stage_seconds_count", {"stage": "segment_network"}) or 0) == batches
    assert count("maskstream_batch_size_views_sum") == 2 * batches
    assert count("maskstream_batch_service_seconds_count") == batches


async def test_a_lonely_view_is_answered_without_company() -> None:
    model = BrightModel(batch_size=8)
    async with running(model) as (device, _):
        assert columns([await device.segment("hall", True, bright(7))]) == [7]
    assert model.batches == [1]


async def test_shapes_do_not_share_a_batch() -> None:
    model = BrightModel(batch_size=2)
    small, large = view(picture(size=(32, 32))), view(picture(size=(64, 64)))
    async with running(model) as (device, _):
        looks = (device.segment("hall", True, each) for each in (small, large, small, large))
        assert await asyncio.gather(*looks) == [(), (), (), ()]
    assert model.batches == [2, 2]


async def test_as_many_batches_are_in_flight_as_the_model_asks_for_and_no_more() -> None:
    model = GatedModel(batch_size=1, in_flight=3)
    async with running(model) as (device, _):
        looks = [asyncio.create_task(device.segment("hall", True, bright(c))) for c in range(6)]
        await settle()
        assert model.held == 3
        model.gate.set()
        assert columns(await asyncio.gather(*looks)) == list(range(6))
    assert model.most_held == 3


async def test_an_error_of_the_model_reaches_every_view_of_the_batch() -> None:
    async with running(BrokenModel(batch_size=2)) as (device, _):
        looks = (device.segment("hall", True, bright(column)) for column in range(4))
        answers = await asyncio.gather(*looks, return_exceptions=True)
    assert [str(each) for each in answers] == ["cannot do 2"] * 4


async def test_the_device_goes_on_after_an_error() -> None:
    async with running(BrokenModel(batch_size=1)) as (device, _):
        for _ in range(3):
            with pytest.raises(RuntimeError, match="cannot do 1"):
                await device.segment("hall", True, bright(0))


async def test_a_view_that_nobody_waits_for_any_more_does_no_harm() -> None:
    model = GatedModel(batch_size=2, in_flight=1)
    async with running(model) as (device, _):
        gone = asyncio.create_task(device.segment("hall", True, bright(0)))
        kept = asyncio.create_task(device.segment("hall", True, bright(1)))
        await settle()
        gone.cancel()
        model.gate.set()
        assert columns([await kept]) == [1]
