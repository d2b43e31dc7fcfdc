"""What the live page costs where it is a process of its own, ``maskstream web``, on Kafka.

The same records as in `stream.cli.bench.web.page`, written by this process; only what ``web`` takes
is measured, a client of Kafka included.
"""

import asyncio
import socket
import subprocess
from collections.abc import Sequence
from functools import partial

from aiohttp import ClientConnectionError, ClientSession

from connectors import open_kafka
from stream.cli.bench.processes import STOP_S, Deployment, command, cpu_s, deployed, stop
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.bench.web.page import (
    Look,
    Shares,
    Written,
    cameras,
    measure_rounds,
    shares,
    write,
)
from stream.cli.embedded import beside
from stream.config import Settings

PARTITIONS = 8
LOOK_S = 0.2


def measure(report: Report, scale: Scale, kafka: str) -> None:
    """As embedded, with a new ``web`` in each round."""
    port = _free_port()
    sections = {
        "model": {"weights": "none"},
        "cameras": [{"id": each, "url": f"{each}.mp4", "mode": "live"} for each in cameras()],
        "web": {"port": port},
    }
    with deployed(kafka, PARTITIONS, **sections) as deployment:
        deployment.register(deployment.config("all"))
        measure_rounds(report, scale, "web.page_kafka", partial(_round, deployment))


async def _round(
    deployment: Deployment, records: Sequence[Written], look: Look, seconds: float
) -> Shares:
    settings = Settings.model_validate(deployment.document)
    assert settings.web is not None
    url = f"http://127.0.0.1:{settings.web.port}"
    process = command("web", deployment.config("all"))
    try:
        await _ready(process, url)
        async with (
            open_kafka(settings).outbox("frames", "masks", "tracks") as outbox,
            beside(write(records, outbox)),
        ):
            return await shares(url, look, seconds, partial(cpu_s, process.pid))
    finally:
        await asyncio.to_thread(stop, process)


async def _ready(process: subprocess.Popen[bytes], url: str) -> None:
    async with asyncio.timeout(STOP_S), ClientSession() as client:
        while True:
            assert process.poll() is None, "web ended"
            try:
                async with client.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except ClientConnectionError:  # it does not listen yet
                pass
            await asyncio.sleep(LOOK_S)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port
