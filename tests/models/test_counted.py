"""What metrics tell of the model that the project ships, as `segment` has it at work."""

import asyncio

import numpy as np

from connectors.clock import SteadyClock
from connectors.memory import MemoryTransport
from stream.cli.demo import demo_settings
from stream.cli.pipeline import Common
from stream.cli.roles import at_work, with_capacity
from stream.health import Health
from stream.metrics import Metrics
from stream.ports import View, Window
from stream.registry import Listed
from stream.rulebook import Rulebook

STAGES = ("wait", "preprocess", "network", "postprocess")
PATIENCE_S = 60.0


class Sung(SteadyClock):
    """A clock by which one may wait until the canary has sung: it rests then, for good."""

    def __init__(self) -> None:
        super().__init__()
        self.rests = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.rests.set()
        await asyncio.Event().wait()


def counted(metrics: Metrics) -> dict[str, float]:
    """How often each stage of the model was told, and the batches and views there were."""
    value = metrics.registry.get_sample_value
    stages = {each: {"stage": f"segment_{each}"} for each in STAGES}
    told = {each: value("maskstream_stage_seconds_count", of) for each, of in stages.items()}
    told["batches"] = value("maskstream_batch_service_seconds_count")
    told["views"] = value("maskstream_batch_size_views_sum")
    return {name: count for name, count in told.items() if count}


async def test_neither_warm_up_nor_capacity_nor_the_canary_counts_as_frames() -> None:
    clock, metrics = Sung(), Metrics()
    settings = demo_settings(once=True)
    rulebook = Rulebook(settings.rules, settings.zones)
    transport, registry = MemoryTransport(), Listed(settings.cameras)
    common = Common(settings, rulebook, registry, transport, clock, metrics)
    view = View(np.zeros((360, 640, 3), np.uint8), Window(0, 0, 640, 360))
    async with asyncio.timeout(PATIENCE_S), at_work(common, Health(), with_capacity) as device:
        await clock.rests.wait()
        assert metrics.registry.get_sample_value("maskstream_capacity_frames_per_second")
        assert counted(metrics) == {}
        await device.segment(None, False, view)
        assert counted(metrics) == {}
        await device.segment("yard", True, view)
        assert counted(metrics) == dict.fromkeys([*STAGES, "batches", "views"], 1)
