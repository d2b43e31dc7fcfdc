"""What a result costs ``watch`` on Kafka: results that lie there, on our own host and on Faust."""

import asyncio
import subprocess
from collections.abc import Sequence

import numpy as np
from msgspec import structs

from connectors import open_kafka
from stream import codec
from stream.cli.bench import watched, yard
from stream.cli.bench.processes import Deployment, command, cpu_s, deployed, stop
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.config import Settings
from stream.types import Result

CAMERAS = ("yard-0", "yard-1", "yard-2", "yard-3")
HOSTS = {"our own": (), "Faust": ("--host", "faust")}
PARTITIONS = 4
LOOK_S = 0.05
"""Between two looks at the processor time of a process."""


def measure(report: Report, scale: Scale, kafka: str) -> None:
    """In turns, each on topics of its own; a rate is per second of the process's own time, from
    its first record on ``tracks`` to its last.
    """
    results = yard.results(CAMERAS[0], scale.frames)
    rates: dict[str, list[float]] = {host: [] for host in HOSTS}
    for number in range(1, scale.rounds + 1):
        for host, words in HOSTS.items():
            rates[host].append(_round(kafka, words, results))
            report.say(f"  round {number}/{scale.rounds} {host}: {rates[host][-1]:.0f} results/s")
    report.figure("rules.hosted_results_per_s_per_core", float(np.median(rates["our own"])))
    report.figure("rules.faust_results_per_s_per_core", float(np.median(rates["Faust"])))
    report.rates("results/s of one core, on Kafka", rates, digits=0)


def _round(kafka: str, words: Sequence[str], results: Sequence[Result]) -> float:
    places = [{"id": each, "url": f"{each}.mp4", "mode": "live"} for each in CAMERAS]
    sections = {"model": {"weights": "none"}, "cameras": places, **watched.sections(CAMERAS)}
    with deployed(kafka, PARTITIONS, **sections) as deployment:
        config = deployment.config("all")
        deployment.register(config)
        asyncio.run(_write(deployment, results))
        process = command("watch", config, *words)
        try:
            return asyncio.run(_rate(deployment, process, len(CAMERAS) * len(results)))
        finally:
            stop(process)


async def _write(deployment: Deployment, results: Sequence[Result]) -> None:
    transport = open_kafka(Settings.model_validate(deployment.document))
    async with transport.outbox("masks") as outbox:
        for result in results:
            for camera in CAMERAS:
                await outbox.send("masks", codec.encode(structs.replace(result, camera=camera)))
        await outbox.flush()


async def _rate(deployment: Deployment, process: subprocess.Popen[bytes], due: int) -> float:
    """Results over processor time, from when the first are through to when all are."""
    first, first_s = 0, 0.0
    async with deployment.count("tracks") as written:
        while (done := await written()) < due:
            assert process.poll() is None, "watch ended"
            if done and not first:
                first, first_s = done, cpu_s(process.pid)
            await asyncio.sleep(LOOK_S)
    assert first, "watch was through before it was looked at; more frames are needed"
    return (due - first) / (cpu_s(process.pid) - first_s)
