"""An ingest that is killed: the others take its cameras over, and lose nothing of their own."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors import open_transport
from stream.audit import Audit
from stream.cli.bench.stand_ins import StandIns
from stream.config import Settings, load
from stream.types import EpochClosed, EpochOpened, Frame, Gap, ModelRef, Result
from tests.faults.film import FULL
from tests.support.roles import Deployment, Process, deployment
from tests.support.topics import read
from tests.support.waiting import wait_until

CAMERAS = 200 if FULL else 30
PROCESSES = 3
TAKEOVER_S = 15.0
SPEC = StandIns(picture_bytes=2000, fps=1.0)
MODEL = ModelRef("none", "", "f32")


@dataclass
class Shown:
    """What ``frames`` hold: the proof, and when the first frame of each epoch arrived."""

    audit: Audit = field(default_factory=Audit)
    first_us: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def began_us(self, camera: str) -> int:
        """When the first frame of its last epoch arrived."""
        epochs = self.first_us[camera]
        return epochs[max(epochs)]


async def shown(settings: Settings) -> Shown:
    found = Shown()
    async for record in open_transport(settings).whole("frames"):
        match read(record):
            case Frame(id=each, arrived_us=arrived_us, time_us=time_us, size=size):
                found.audit.add(Result(*each, time_us, arrived_us, size, MODEL, ()))
                found.first_us[each.camera].setdefault(each.epoch, arrived_us)
            case EpochOpened() | EpochClosed() | Gap() as message:
                found.audit.add(message)
    return found


def runs(process: Process) -> int:
    """How many cameras a process runs, as it says."""
    told = re.findall(r"(\d+) cameras run here", process.text())
    return int(told[-1]) if told else 0


def epochs(found: Shown) -> Mapping[str, int]:
    return {camera: max(those) for camera, those in found.first_us.items()}


def cameras_of(deployed: Deployment) -> Settings:
    return load(deployed.config, secrets=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_three_one_is_killed_and_its_cameras_live_elsewhere(tmp_path: Path, kafka: str) -> None:
    cameras = [{"id": f"camera-{n}", "url": f"rtsp://127.0.0.1/{n}"} for n in range(CAMERAS)]
    sections = {"cameras": cameras, "zones": [], "rules": [], "kafka": {"partitions": 48}}
    with deployment(tmp_path, kafka, **sections) as deployed:
        processes = [deployed.start_ingest_stand_in(SPEC) for _ in range(PROCESSES)]
        wait_until(
            lambda: (
                all(runs(each) > CAMERAS // 4 for each in processes)
                and sum(map(runs, processes)) == CAMERAS
            ),
            "the cameras are shared",
        )
        before = asyncio.run(shown(cameras_of(deployed)))
        assert before.first_us.keys() == {each["id"] for each in cameras}
        *others, victim = processes
        lost, kept = runs(victim), [runs(each) for each in others]
        killed_us = time.time_ns() // 1000
        victim.kill()
        wait_until(lambda: sum(map(runs, others)) == CAMERAS, "the others run all", pause_s=0.5)
        assert all(runs(each) > had for each, had in zip(others, kept, strict=True))

        def goes_on() -> bool:
            now = asyncio.run(shown(cameras_of(deployed)))
            taken = [name for name, was in epochs(before).items() if epochs(now)[name] > was]
            return len(taken) == lost

        wait_until(goes_on, "all show pictures again", pause_s=1.0)
        assert [each.stop() for each in others] == [0, 0]
        after = asyncio.run(shown(cameras_of(deployed)))
    taken = {name for name, was in epochs(before).items() if epochs(after)[name] > was}
    assert len(taken) == lost, "a camera that stayed was begun anew"
    slowest_s = max(after.began_us(name) - killed_us for name in taken) / 1e6
    print(f"{lost} of {CAMERAS} cameras live elsewhere after {slowest_s:.1f} s")
    assert slowest_s <= TAKEOVER_S
    latest = epochs(after)
    for epoch in after.audit.epochs:
        if epoch.epoch == latest[epoch.camera]:
            assert epoch.complete, epoch
            assert not epoch.gaps, epoch
