"""How soon a webhook arrives: ``watch`` and ``notify`` on Kafka, a quick receiver, a calm rate."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from aiohttp import web
from msgspec import structs
from standardwebhooks import Webhook

from connectors import open_kafka
from stream import codec
from stream.cli.bench import yard
from stream.cli.bench.processes import Deployment, command, deployed, stop
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.config import Settings
from stream.types import Result

CAMERAS = tuple(f"yard-{number}" for number in range(8))
PARTITIONS = 8
EVERY_S = 0.25
"""Between two results of all cameras. With one an alert opens, with that camera's next it ends."""
WARM_UP = 2 * len(CAMERAS)
"""Results that are not counted: they open connections."""
ARRIVAL_S = 30.0
SECRET = base64.b64encode(b"a key that only the bench knows").decode()

Key = tuple[str, int]
"""Camera and event time: each result has its own."""


def measure(report: Report, scale: Scale, kafka: str) -> None:
    """From the acknowledged write of a result on ``masks`` to the arrival of its webhook."""
    with TemporaryDirectory(prefix="maskstream-bench-") as folder:
        delays_ms = asyncio.run(_delays_ms(kafka, Path(folder), scale.alerts))
    p50, p99 = np.percentile(delays_ms, [50, 99])
    report.figure("alerts.masks_to_webhook_p50_ms", p50)
    report.figure("alerts.masks_to_webhook_p99_ms", p99)
    report.table(
        [f"{len(delays_ms)} changes of alerts, masks to webhook", "ms"],
        [["p50", f"{p50:.0f}"], ["p99", f"{p99:.0f}"], ["longest", f"{max(delays_ms):.0f}"]],
    )
    parts = np.linspace(0, 1, 101)
    points = zip(np.quantile(delays_ms, parts).tolist(), (100 * parts).tolist(), strict=True)
    title = "from a result on masks to the webhook's arrival"
    report.line("alerts", title, ("ms", "% of the changes of alerts"), list(points))


async def _delays_ms(kafka: str, folder: Path, count: int) -> list[float]:
    arrived: dict[Key, float] = {}
    async with _receiver(arrived) as port:
        sections = _sections(port, folder)
        with deployed(kafka, PARTITIONS, **sections) as deployment, ExitStack() as stack:
            config = deployment.config("all")
            await asyncio.to_thread(deployment.register, config)
            for role in ("watch", "notify"):
                stack.callback(stop, command(role, config))
            await deployment.joined("watch.masks", 1)
            await deployment.joined("notify.alerts", 1)
            written = await _write(deployment, WARM_UP + count)
            async with asyncio.timeout(ARRIVAL_S):
                while not written.keys() <= arrived.keys():  # noqa: ASYNC110 - HTTP calls nobody
                    await asyncio.sleep(0.05)
    counted = list(written.items())[WARM_UP:]
    return [1e3 * (arrived[key] - at_s) for key, at_s in counted]


def _sections(port: int, folder: Path) -> dict[str, Any]:
    """One zone over the whole picture of each camera, and a rule that never waits."""
    secret = folder / "secret"
    secret.write_text(SECRET)
    rule = {"kind": "presence", "labels": ["person"], "frames": 1, "resolve": 0, "cooldown": 0}
    return {
        "model": {"weights": "none"},
        "cameras": [{"id": each, "url": f"{each}.mp4", "mode": "live"} for each in CAMERAS],
        "rules": [{**rule, "id": each, "camera": each, "notify": ["ops"]} for each in CAMERAS],
        "endpoints": [
            {
                "id": "ops", "url": f"http://127.0.0.1:{port}/hook",
                "secret": {"file": str(secret)}, "allow_private": True,
            }
        ],
    }  # fmt: skip


async def _write(deployment: Deployment, count: int) -> dict[Key, float]:
    """When each result was acknowledged, by the clock that arrivals are told by."""
    written: dict[Key, float] = {}
    transport = open_kafka(Settings.model_validate(deployment.document))
    async with transport.outbox("masks") as outbox:
        for result in _in_turns(count):
            await outbox.send("masks", codec.encode(result))
            await outbox.flush()
            written[result.camera, result.time_us] = time.perf_counter()
            await asyncio.sleep(EVERY_S)
    return written


def _in_turns(count: int) -> Iterator[Result]:
    """Camera after camera; of each, ten instances and then nobody, in turns."""
    (full,) = yard.results(CAMERAS[0], 1)
    for number in range(count):
        seq, at = divmod(number, len(CAMERAS))
        now_us = time.time_ns() // 1000
        yield structs.replace(
            full, camera=CAMERAS[at], seq=seq, time_us=now_us, arrived_us=now_us,
            instances=() if seq % 2 else full.instances,
        )  # fmt: skip


@asynccontextmanager
async def _receiver(arrived: dict[Key, float]) -> AsyncIterator[int]:
    """Enters when a webhook came whose signature is right; yields its port."""

    async def hook(request: web.Request) -> web.Response:
        body = await request.read()
        now_s = time.perf_counter()
        Webhook(SECRET).verify(body, dict(request.headers))
        data = json.loads(body)["data"]
        arrived.setdefault((data["camera"], data["time_us"]), now_s)
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
