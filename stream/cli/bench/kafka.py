"""What Kafka costs: the same clip through four processes and through one, in turns."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from connectors import open_transport
from connectors.clock import SteadyClock
from connectors.models import Build, build_artefact
from stream import codec
from stream.cli.bench.clips import beginning, require
from stream.cli.bench.contest import Run, Start, interleave
from stream.cli.bench.contestants import pipeline
from stream.cli.bench.processes import Deployment, command, deployed, stop
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.config import Settings
from stream.specs import ModelSpec
from stream.tally import Tally

EMBEDDED, JPEG, KAFKA = "one process", "one process, JPEG between", "four processes on Kafka"
PARTITIONS = 8
STALLED_S = 60.0


def measure(report: Report, scale: Scale, kafka: str) -> None:
    """Take turns."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="maskstream-bench-")))
        artefact = build_artefact(Build(require(scale.weights), "f32", None), folder / "f32")
        spec = ModelSpec(weights=artefact.folder, precision="f32")
        clip = beginning(scale.people, scale.frames, folder)
        sections = {
            "model": spec.model_dump(mode="json"),
            "cameras": _cameras(clip, scale.rounds),
        }
        deployment = stack.enter_context(deployed(kafka, PARTITIONS, **sections))
        contestants: dict[str, Start] = {
            EMBEDDED: partial(pipeline, spec, clip, "raw"),
            JPEG: partial(pipeline, spec, clip, "jpeg"),
            KAFKA: partial(on_kafka, deployment, _one_each(deployment)),
        }
        rates = interleave(contestants, scale.rounds, report.say)
    report.rates("f32, frames/s", rates)
    against = [
        [f"{KAFKA} / {EMBEDDED}", report.ratio("kafka.vs_embedded", rates[KAFKA], rates[EMBEDDED])],
        [f"{KAFKA} / {JPEG}", report.ratio("kafka.vs_jpeg", rates[KAFKA], rates[JPEG])],
    ]
    report.table(["ratio", "median (lowest…highest)"], against)
    report.bars("kafka", "YOLOv8n-seg f32 on 768×432, broker included", "frames/s", rates)


def on_kafka(deployment: Deployment, configs: Mapping[str, str]) -> Run:
    """A round: three roles that are ready, and then an ``ingest`` of the clip. They stop with it,
    so that nothing of them is in the way of the other contestants.
    """
    settings = Settings.model_validate(deployment.document)
    left = iter(configs.items())
    runner = asyncio.Runner()

    def run() -> float:
        camera, config = next(left)
        with ExitStack() as stack:
            for role in ("segment", "watch", "notify"):
                stack.callback(stop, command(role, deployment.config("all")))
            runner.run(_ready(deployment))
            deployment.register(config)
            stack.callback(stop, command("ingest", config))
            return runner.run(_rate(settings, camera))

    return run


async def _ready(deployment: Deployment) -> None:
    for group in ("segment.frames-archive", "watch.masks"):
        await deployment.joined(group, 1)


def _cameras(clip: Path, rounds: int) -> list[dict[str, Any]]:
    """One for each round, as a file is read once; all in the partition of the first."""
    return [
        {"id": f"clip-{number}", "url": str(clip), "mode": "archive", "partition": 0}
        for number in range(rounds)
    ]


def _one_each(deployment: Deployment) -> dict[str, str]:
    """For each camera a configuration with it alone."""
    cameras = deployment.document["cameras"]
    return {each["id"]: deployment.config(each["id"], cameras=[each]) for each in cameras}


async def _rate(settings: Settings, camera: str) -> float:
    """Frames per second between the first and the last terminal of a camera on ``masks``."""
    clock, tally = SteadyClock(), Tally()
    group = f"bench-{camera}"
    async with open_transport(settings).inbox("masks", group) as inbox:
        while not any(epoch.closed for epoch in tally.audit.epochs):
            deliveries = await inbox.receive(64, STALLED_S)
            assert deliveries, f"nothing came for {STALLED_S:g} s"
            for delivery in deliveries:
                if delivery.record.key == camera:
                    tally.add(codec.peek(delivery.record), clock.now_us())
    assert tally.audit.passed, "a benchmark that loses frames measures nothing"
    return tally.rate_per_s or 0.0
