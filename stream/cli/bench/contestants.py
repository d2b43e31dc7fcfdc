"""Who is compared. Each function runs in a process of its own and returns what does a round."""

import asyncio
import os
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from stream.cli.bench.contest import Run
from stream.specs import ModelSpec
from stream.tally import Tally

IMAGE_SIZE = 640
CONFIDENCE = 0.25
IOU = 0.7
NETWORK_SHAPE = (384, 640)
"""What both sides are told; they are the defaults of ultralytics' predict."""


def pipeline(spec: ModelSpec, clip: Path, encoding: str) -> Run:
    """All of `maskstream run` on a clip: decode, segment, track, watch, masks as JSON."""
    from connectors.models import open_model
    from stream.cli.model import cache_folder
    from stream.config import Settings

    camera = {"id": "clip", "url": str(clip), "mode": "archive"}
    pictures = {"encoding": encoding}
    settings = Settings.model_validate(
        {"model": spec.model_dump(), "cameras": [camera], "pictures": pictures}
    )
    runner = asyncio.Runner()
    model = open_model(spec, Path(), cache_folder())

    def run() -> float:
        tally = runner.run(_play(settings, model))
        assert tally.audit.passed, "a benchmark that loses frames measures nothing"
        return tally.rate_per_s or 0.0

    return run


async def _play(settings: Any, model: Any) -> Tally:
    from connectors import open_transport
    from connectors.clock import SteadyClock
    from stream.cli.embedded import beside, run_roles
    from stream.cli.observers import counts
    from stream.cli.pipeline import Common, roles
    from stream.device import Device
    from stream.metrics import Metrics
    from stream.registry import Listed
    from stream.rulebook import Rulebook

    clock, tally = SteadyClock(), Tally()
    transport = open_transport(settings)
    rulebook = Rulebook(settings.rules, settings.zones)
    common = Common(settings, rulebook, Listed(settings.cameras), transport, clock, Metrics())
    device = Device(model, clock, common.metrics)
    working = [*roles(common, device, {}), counts(tally, clock)]
    async with beside(device.run()):
        await run_roles(transport, working, asyncio.Event(), settings.drain)
    return tally


def network(spec: ModelSpec, frames: int) -> Run:
    """The compiled network of an artefact and nothing else, with the requests it asks for."""
    from connectors.models.artefact import read
    from connectors.models.openvino_network import OpenVinoNetwork

    network = OpenVinoNetwork(read(spec.weights), IMAGE_SIZE)
    slots = [network.slot(NETWORK_SHAPE) for _ in range(network.in_flight)]
    for slot in slots:
        slot.pictures[:] = 114

    def run() -> float:
        each = -(-frames // len(slots))
        began = time.perf_counter()
        with ThreadPoolExecutor(len(slots)) as threads:
            list(threads.map(lambda slot: [slot.infer() for _ in range(each)], slots))
        return each * len(slots) / (time.perf_counter() - began)

    run()
    return run


def ultralytics_torch(weights: Path, clip: Path) -> Run:
    """`predict(stream=True)` on the clip, in PyTorch f32."""
    quiet_ultralytics()
    with redirect_stdout(None):
        from ultralytics import YOLO

        return _predicting(YOLO(str(weights)), clip)


def ultralytics_openvino(weights: Path, clip: Path, folder: Path) -> Run:
    """The same on its own OpenVINO export, which computes in bf16 where the CPU can."""
    quiet_ultralytics()
    with redirect_stdout(None):
        from ultralytics import YOLO

        copy = folder / weights.name
        copy.write_bytes(weights.read_bytes())
        exported = YOLO(str(copy)).export(format="openvino", imgsz=(384, 640), verbose=False)
        return _predicting(YOLO(exported, task="segment"), clip)


def _predicting(model: Any, clip: Path) -> Run:
    def results() -> Iterator[Any]:
        found: Iterator[Any] = model.predict(
            str(clip), stream=True, imgsz=IMAGE_SIZE, conf=CONFIDENCE, iou=IOU, verbose=False
        )
        return found

    def run() -> float:
        """From the first result to the last, as for the pipeline."""
        stream = results()
        next(stream)
        began = time.perf_counter()
        count = sum(1 for _ in stream)
        return count / (time.perf_counter() - began)

    run()
    return run


def quiet_ultralytics() -> None:
    """Keep ultralytics from reaching out, and its export's warnings out of the report."""
    warnings.simplefilter("ignore")
    os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
