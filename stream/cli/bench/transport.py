"""What the transport alone carries: frames of 60 kB and a model that does nothing."""

import asyncio

from stream.cli.bench.processes import Deployment, deployed
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.bench.sleeping import Sleep
from stream.cli.bench.stand_ins import StandIns, cameras

PARTITIONS, CAMERAS = 8, 8
STAND_INS = StandIns(picture_bytes=60_000, sleep=Sleep(batch_size=64, seconds=0.0))
SETTLE_S = 30.0


def measure(report: Report, scale: Scale) -> None:
    """Files as fast as they are taken, through ingest, segment and watch, counted on ``tracks``."""
    if scale.kafka is None:
        report.say("  left out: no broker; make kafka starts one, and --kafka HOST:PORT names it")
        return
    sections = {"model": {"weights": "none"}, "cameras": cameras("archive", CAMERAS)}
    with deployed(scale.kafka, PARTITIONS, **sections) as deployment:
        for role in ("watch", "segment", "ingest"):
            deployment.stand_in(role, deployment.config("all"), STAND_INS)
        rates = asyncio.run(_rates(deployment, scale, report))
    report.figure("kafka.transport_frames_per_s", sorted(rates)[len(rates) // 2])
    row = [f"{value:.0f}" for value in (sorted(rates)[len(rates) // 2], min(rates), max(rates))]
    report.table(
        ["60 kB frames/s", "median", "lowest", "highest"], [["ingest→segment→watch", *row]]
    )


async def _rates(deployment: Deployment, scale: Scale, report: Report) -> list[float]:
    await deployment.flowing("tracks")
    await asyncio.sleep(SETTLE_S)  # also the broker has compiled by then what it does all the time
    rates = []
    for number in range(1, scale.rounds + 1):
        rates.append(await deployment.rate("tracks", scale.flow_s))
        report.say(f"  {number}/{scale.rounds}: {rates[-1]:.0f} frames/s")
    return rates
