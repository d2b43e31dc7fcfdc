"""What Kafka costs: the same clip through four processes and through one, in turns."""

import asyncio
import json
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from connectors import open_transport
from connectors.clock import SteadyClock
from connectors.models import Build, build_artefact
from stream import codec
from stream.cli.bench.clips import beginning, require
from stream.cli.bench.contest import Run, Start, interleave
from stream.cli.bench.contestants import pipeline
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.config import Settings
from stream.specs import ModelSpec
from stream.tally import Tally

EMBEDDED, JPEG, KAFKA = "one process", "one process, JPEG between", "four processes on Kafka"
PARTITIONS = 8
LEAVE_S = 30.0
STALLED_S = 60.0


def measure(report: Report, scale: Scale) -> None:
    """Take turns; without a broker, say where one comes from."""
    if scale.kafka is None:
        report.say("  left out: no broker; make kafka starts one, and --kafka HOST:PORT names it")
        return
    with TemporaryDirectory(prefix="maskstream-bench-") as name:
        folder = Path(name)
        artefact = build_artefact(Build(require(scale.weights), "f32", None), folder / "f32")
        spec = ModelSpec(weights=artefact.folder, precision="f32")
        clip = beginning(scale.people, scale.frames, folder)
        contestants: dict[str, Start] = {
            EMBEDDED: partial(pipeline, spec, clip, "raw"),
            JPEG: partial(pipeline, spec, clip, "jpeg"),
            KAFKA: partial(on_kafka, spec, clip, scale.kafka, scale.rounds),
        }
        rates = interleave(contestants, scale.rounds, report.say)
    rows = [
        [name, *(f"{value:.1f}" for value in (sorted(of)[len(of) // 2], min(of), max(of)))]
        for name, of in rates.items()
    ]
    report.table(["f32, frames/s", "median", "lowest", "highest"], rows)
    against = [
        [f"{KAFKA} / {EMBEDDED}", report.ratio("kafka.vs_embedded", rates[KAFKA], rates[EMBEDDED])],
        [f"{KAFKA} / {JPEG}", report.ratio("kafka.vs_jpeg", rates[KAFKA], rates[JPEG])],
    ]
    report.table(["ratio", "median (lowest…highest)"], against)
    report.bars("kafka", "YOLOv8n-seg f32 on 768×432, broker included", "frames/s", rates)


def on_kafka(spec: ModelSpec, clip: Path, bootstrap: str, rounds: int) -> Run:
    """``segment``, ``watch`` and ``notify`` as processes; a round is an ``ingest`` of the clip."""
    stack = ExitStack()
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="maskstream-bench-")))
    document = _document(spec, clip, bootstrap, rounds)
    whole = _written(folder / "all.yaml", document)
    settings = Settings.model_validate(document)
    _started("topics", "apply", str(whole)).wait(LEAVE_S)
    for role in ("segment", "watch", "notify"):
        stack.callback(_stopped, _started(role, str(whole)))
    left = iter(document["cameras"])
    runner = asyncio.Runner()

    def run() -> float:
        camera = next(left)
        config = _written(folder / "one.yaml", {**document, "cameras": [camera]})
        ingest = _started("ingest", str(config))
        try:
            return runner.run(_rate(settings, camera["id"]))
        finally:
            ingest.wait(LEAVE_S)

    return run


def _document(spec: ModelSpec, clip: Path, bootstrap: str, rounds: int) -> dict[str, Any]:
    """A camera for each round, as a file is read once; all in the partition of the first."""
    return {
        "transport": f"kafka://{bootstrap}",
        "kafka": {
            "prefix": f"bench-{uuid4().hex[:8]}.", "partitions": PARTITIONS, "replication": 1,
        },
        "model": spec.model_dump(mode="json"),
        "cameras": [
            {"id": f"clip-{number}", "url": str(clip), "mode": "archive", "partition": 0}
            for number in range(rounds)
        ],
    }  # fmt: skip


def _written(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(json.dumps(document))
    return path


def _started(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from stream.cli import main; main()", *words]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet)  # noqa: S603 - our own command


def _stopped(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(LEAVE_S)


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
