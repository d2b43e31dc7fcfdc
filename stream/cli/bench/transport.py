"""What the transport alone carries: frames of 60 kB and a model that does nothing."""

import asyncio
import statistics

from stream.cli.bench.processes import Deployment, deployed
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.bench.sleeping import Sleep
from stream.cli.bench.stand_ins import StandIns, cameras

PARTITIONS, CAMERAS = 8, 8
STAND_INS = StandIns(picture_bytes=60_000, sleep=Sleep(batch_size=64, seconds=0.0))
SETTLE_FLOWS = 1.5
"""So many times as long as a round takes: by then also the broker has compiled what it does all the
time. The pictures of a second take 100 MB of its disk."""


def measure(report: Report, scale: Scale, kafka: str) -> None:
    """Files as fast as they are taken, through ingest, segment and watch, counted on ``tracks``."""
    sections = {"model": {"weights": "none"}, "cameras": cameras("archive", CAMERAS)}
    with deployed(kafka, PARTITIONS, **sections) as deployment:
        for role in ("watch", "segment", "ingest"):
            deployment.stand_in(role, deployment.config("all"), STAND_INS)
        rates = asyncio.run(_rates(deployment, scale, report))
    report.figure("kafka.transport_frames_per_s", statistics.median(rates))
    report.rates("60 kB frames/s", {"ingest→segment→watch": rates}, digits=0)


async def _rates(deployment: Deployment, scale: Scale, report: Report) -> list[float]:
    await deployment.flowing("tracks")
    await asyncio.sleep(SETTLE_FLOWS * scale.flow_s)
    rates = []
    for number in range(1, scale.rounds + 1):
        rates.append(await deployment.rate("tracks", scale.flow_s))
        report.say(f"  {number}/{scale.rounds}: {rates[-1]:.0f} frames/s")
    return rates
