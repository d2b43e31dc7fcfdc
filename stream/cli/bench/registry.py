"""How long cameras are away whose ingest is killed, until others show their pictures."""

import asyncio
import subprocess
import time
from dataclasses import dataclass, field

import numpy as np

from connectors import open_transport
from stream import codec
from stream.cli.bench.processes import Deployment, deployed
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.bench.stand_ins import StandIns, cameras
from stream.config import Settings
from stream.ports import Inbox

PARTITIONS, PROCESSES = 48, 3
LOAD = StandIns(picture_bytes=2000, fps=1.0)
GROUP = "ingest.cameras"
SETTLED_S = 5.0
"""For so long no camera moves: they are shared."""
IN_FLIGHT_S = 2.0
"""Later than this after its death comes nothing more of a process."""


@dataclass
class Shown:
    """Of each camera: its last epoch, when that began, and when its last frame came."""

    epochs: dict[str, int] = field(default_factory=dict)
    began_s: dict[str, float] = field(default_factory=dict)
    last_s: dict[str, float] = field(default_factory=dict)

    async def look(self, inbox: Inbox) -> None:
        """Enter what comes within half a second."""
        for delivery in await inbox.receive(256, 0.5):
            if codec.kind_of(delivery.record) == "frame":
                frame, now_s = codec.frame_id(delivery.record), time.monotonic()
                self.last_s[frame.camera] = now_s
                if frame.epoch > self.epochs.get(frame.camera, 0):
                    self.epochs[frame.camera], self.began_s[frame.camera] = frame.epoch, now_s


def measure(report: Report, scale: Scale, kafka: str) -> None:
    """Kill one of three processes; the time is that of the last of its cameras."""
    rounds = []
    for number in range(scale.rounds):
        taken, slowest_s = _round(kafka, scale.registered)
        rounds.append(slowest_s)
        report.say(
            f"  {number + 1}/{scale.rounds}: {taken} of {scale.registered} cameras "
            f"live elsewhere after {slowest_s:.1f} s"
        )
    report.figure("registry.takeover_s", float(np.median(rounds)))
    report.rates("seconds", {"one of three ingests is killed": rounds})


def _round(kafka: str, count: int) -> tuple[int, float]:
    """How many cameras were taken over, and after how long the last of them showed a picture."""
    sections = {"model": {"weights": "none"}, "cameras": cameras("live", count)}
    with deployed(kafka, PARTITIONS, **sections) as deployment:
        config = deployment.config("all")
        processes = [deployment.stand_in("ingest", config, LOAD) for _ in range(PROCESSES)]
        return asyncio.run(_taken_over(deployment, processes[-1], count))


async def _taken_over(
    deployment: Deployment, victim: subprocess.Popen[bytes], count: int
) -> tuple[int, float]:
    await deployment.joined(GROUP, PROCESSES)
    shown, settings = Shown(), Settings.model_validate(deployment.document)
    async with open_transport(settings).inbox("frames", "bench") as inbox:
        while len(shown.epochs) < count or _newest_s(shown) > time.monotonic() - SETTLED_S:
            await shown.look(inbox)
        killed_s = time.monotonic()
        victim.kill()
        while min(shown.last_s.values()) < killed_s + IN_FLIGHT_S:
            await shown.look(inbox)
    taken_s = [each - killed_s for each in shown.began_s.values() if each > killed_s]
    return len(taken_s), max(taken_s)


def _newest_s(shown: Shown) -> float:
    return max(shown.began_s.values())
