"""An ingest that is killed: the others take its cameras over, and lose nothing of their own."""

import asyncio
import re
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    """What ``frames`` hold: the proof, each camera's last epoch, when the first frame of an epoch
    arrived, and the epoch of the camera's last frame.
    """

    audit: Audit = field(default_factory=Audit)
    first_us: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    shows: dict[str, int] = field(default_factory=dict)

    @property
    def epochs(self) -> Mapping[str, int]:
        """The last epoch of each camera."""
        found: dict[str, int] = {}
        for each in self.audit.epochs:
            found[each.camera] = max(each.epoch, found.get(each.camera, 0))
        return found

    @property
    def has_pictures(self) -> bool:
        """Whether that is what each shows: nobody reads what comes of an older one."""
        return self.shows == self.epochs

    def began_us(self, camera: str) -> int:
        """When the first frame of its last epoch arrived."""
        return self.first_us[camera][self.epochs[camera]]


async def shown(settings: Settings) -> Shown:
    found = Shown()
    async for record in open_transport(settings).whole("frames"):
        match read(record):
            case Frame(id=each, arrived_us=arrived_us, time_us=time_us, size=size):
                found.audit.add(Result(*each, time_us, arrived_us, size, MODEL, ()))
                found.first_us[each.camera].setdefault(each.epoch, arrived_us)
                found.shows[each.camera] = each.epoch
            case EpochOpened() | EpochClosed() | Gap() as message:
                found.audit.add(message)
    return found


def runs(process: Process) -> int:
    """How many cameras a process runs, as it says."""
    told = re.findall(r"cameras that run here: (\d+)", process.text())
    return int(told[-1]) if told else 0


def begun(before: Shown, after: Shown) -> int:
    """How many cameras have a later epoch."""
    return sum(after.epochs[name] > was for name, was in before.epochs.items())


def wait_for_pictures(
    deployed: Deployment, cameras: int, before: Shown | None = None, moved: int = 0
) -> Shown:
    """Return once so many cameras show their last epoch; ``moved`` of them a later one than they
    did ``before``, or more.
    """
    found, before = Shown(), before or Shown()

    def are_there() -> bool:
        nonlocal found
        found = asyncio.run(shown(load(deployed.config, secrets=False)))
        if len(found.epochs) < cameras or begun(before, found) < moved:
            return False
        return found.has_pictures

    wait_until(are_there, "all cameras show pictures", pause_s=1.0)
    return found


@contextmanager
def sharing(
    folder: Path, kafka: str, cameras: int, processes: int
) -> Iterator[tuple[Deployment, list[Process]]]:
    """So many processes that share so many cameras evenly."""
    listed = [{"id": f"camera-{n}", "url": f"rtsp://127.0.0.1/{n}"} for n in range(cameras)]
    sections: dict[str, Any] = {
        "cameras": listed,
        "zones": [],
        "rules": [],
        "kafka": {"partitions": 48},
    }
    with deployment(folder, kafka, **sections) as deployed:
        ingests = [deployed.start_ingest_stand_in(SPEC) for _ in range(processes)]
        wait_until(lambda: are_even(ingests, cameras), "the cameras are shared")
        yield deployed, ingests


def are_even(ingests: Sequence[Process], cameras: int) -> bool:
    counts = list(map(runs, ingests))
    return sum(counts) == cameras and max(counts) - min(counts) <= cameras // 10


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_three_one_is_killed_and_its_cameras_live_elsewhere(tmp_path: Path, kafka: str) -> None:
    with sharing(tmp_path, kafka, CAMERAS, PROCESSES) as (deployed, processes):
        before = wait_for_pictures(deployed, CAMERAS)
        *others, victim = processes
        lost, kept = runs(victim), [runs(each) for each in others]
        killed_us = time.time_ns() // 1000
        victim.kill()
        wait_until(lambda: sum(map(runs, others)) == CAMERAS, "the others run all", pause_s=0.5)
        assert all(runs(each) > had for each, had in zip(others, kept, strict=True))
        now = wait_for_pictures(deployed, CAMERAS, before, lost)
        taken = {name for name, was in before.epochs.items() if now.epochs[name] > was}
        assert len(taken) == lost, "a camera that stayed was begun anew"
        slowest_s = max(now.began_us(name) - killed_us for name in taken) / 1e6
        print(f"{lost} of {CAMERAS} cameras live elsewhere after {slowest_s:.1f} s")
        assert slowest_s <= TAKEOVER_S
        assert [each.stop() for each in others] == [0, 0]  # the second takes over from the first
        after = asyncio.run(shown(load(deployed.config, secrets=False)))
    assert not [each for each in now.audit.epochs if each.gaps and each.camera not in taken]
    ran = [each for each in after.audit.epochs if each.epoch == now.epochs[each.camera]]
    assert len(ran) == CAMERAS
    assert all(each.complete for each in ran)


@pytest.mark.long
@pytest.mark.slow
def test_one_that_was_frozen_gives_way_and_takes_its_part_again(tmp_path: Path, kafka: str) -> None:
    with sharing(tmp_path, kafka, cameras=12, processes=2) as (deployed, (zombie, other)):
        before = wait_for_pictures(deployed, 12)
        zombie.signal(signal.SIGSTOP)
        wait_until(lambda: runs(other) == 12, "the other runs all")
        meanwhile = wait_for_pictures(deployed, 12, before, 6)
        zombie.signal(signal.SIGCONT)
        wait_until(lambda: are_even([zombie, other], 12), "they share again")
        now = wait_for_pictures(deployed, 12, meanwhile, 6)
        assert begun(before, meanwhile) == 6, "a camera that stayed was begun anew"
        assert begun(meanwhile, now) == 6, "more than its part was moved"
        assert [each.stop() for each in (zombie, other)] == [0, 0]
        after = asyncio.run(shown(load(deployed.config, secrets=False)))
    for epoch in after.audit.epochs:
        if epoch.epoch >= meanwhile.epochs[epoch.camera]:
            assert epoch.complete, epoch
