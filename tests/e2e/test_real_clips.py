"""The main job on real material: both clips, real weights, a receiver that checks signatures."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from stream.cli.audit import read_results
from stream.errors import EXIT_OK
from stream.types import Result

SECRET = "whsec_" + "bWFza3N0cmVhbS1zaWducy1pdHMtYWxlcnRz"
PEOPLE_WHO_LEAVE = 6
"""Counted by looking at the clip: they walk out to the right at 19, 44, 69, 86, 119 and 135 s."""
PEOPLE, BOTTLES = 1394, 1189

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CONFIG = """\
model: {{weights: {shared}/weights/yolov8n-seg.pt, precision: f32, labels: [person, bottle]}}
cameras:
  - {{id: hall, url: {shared}/video/one-by-one-person-detection.mp4, mode: archive, fps: 10}}
  - {{id: belt, url: {shared}/video/bottle-detection.mp4, mode: archive}}
zones:
  - {{id: exit, camera: hall, polygon: [[0.8, 0.3], [1.0, 0.3], [1.0, 1.0], [0.8, 1.0]]}}
rules:
  - {{id: person-leaves, kind: presence, zone: exit, label: person, overlap: 0.3, frames: 3,
     cooldown: 5s, notify: [ops]}}
endpoints:
  - {{id: ops, url: "http://127.0.0.1:{port}/hook", secret: {{env: OPS_SECRET}},
     allow_private: true}}
outputs: {{results: results.jsonl}}
"""


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[int, list[dict[str, object]]]]:
    """A receiver on loopback that takes nothing whose signature does not verify."""
    came: list[dict[str, object]] = []

    async def hook(request: web.Request) -> web.Response:
        body = await request.read()
        came.append(Webhook(SECRET).verify(body, dict(request.headers)))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], came
    finally:
        await runner.cleanup()


async def run(config: Path) -> str:
    program = "from stream.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        "run",
        str(config),
        env={**os.environ, "OPS_SECRET": SECRET},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == EXIT_OK, out.decode()
    return out.decode()


async def test_each_person_who_leaves_is_told_once_and_no_frame_is_lost(
    shared: Path, tmp_path: Path
) -> None:
    config = tmp_path / "clips.yaml"
    async with receiver() as (port, came):
        config.write_text(CONFIG.format(shared=shared, port=port))
        table = await run(config)
    opened = [alert for alert in came if alert["type"] == "alert.opened"]
    assert len(opened) == PEOPLE_WHO_LEAVE
    assert Counter(alert["type"] for alert in came)["alert.resolved"] == PEOPLE_WHO_LEAVE
    assert len({json.dumps(alert, sort_keys=True) for alert in came}) == len(came)
    assert "nothing missing" in table
    results = [one for one in read_results(tmp_path / "results.jsonl") if isinstance(one, Result)]
    assert Counter(result.camera for result in results) == {"hall": PEOPLE, "belt": BOTTLES}
    assert any(one.label == "bottle" for result in results for one in result.instances)
