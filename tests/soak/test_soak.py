"""An hour of four cameras on the network, lost at random: nothing leaks, nothing is missing.

``MASKSTREAM_SOAK_MINUTES`` sets how long; plots go to ``out/soak``.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import pytest
from rich.console import Console

from stream.cli.bench.report import Report
from tests.support.receiver import UP, receiver
from tests.support.roles import DATA, ROOT, Deployment, Process, deployment
from tests.support.rtsp import RtspServer, pack, rtsp_server
from tests.support.waiting import wait_until

MINUTES = float(os.environ.get("MASKSTREAM_SOAK_MINUTES", "60"))
pytestmark = [pytest.mark.soak, pytest.mark.timeout(60 * MINUTES + 600)]

CAMERAS = ["yard", "hall", "gate", "dock"]
"""The first has a zone with alerts."""
ROLES = ["segment", "watch", "notify", "ingest"]
CALM_S = (5.0, 40.0)
"""Between two losses."""
SILENT_S = (5.0, 15.0)
"""Some are shorter than what makes a camera lost."""
WARM_UP_SHARE = 0.2
MORE = 3
"""Threads or descriptors that a role may have at one moment and not at another."""
GROWTH = 1.05
"""The most that memory of the second half after warm-up may be of that of the first."""

Loss = Callable[[RtspServer, Random], None]


@dataclass(frozen=True)
class Sample:
    """What a role held at one moment."""

    minute: float
    threads: int
    descriptors: int
    resident_mb: float


def kill(server: RtspServer, chance: Random) -> None:
    """The server dies and is started again: all cameras are gone for a while."""
    server.kill()
    time.sleep(chance.uniform(0, 5))
    server.restart()


def kick(server: RtspServer, _: Random) -> None:
    """All connections end."""
    server.kick()


def stall(server: RtspServer, chance: Random) -> None:
    """One camera sends nothing for a while, and its connection stays."""
    path = f"/{chance.choice(CAMERAS)}"
    server.stall(path)
    time.sleep(chance.uniform(*SILENT_S))
    server.stall(path, stalled=False)


def freeze(server: RtspServer, chance: Random) -> None:
    """All cameras hang for a while."""
    server.freeze()
    time.sleep(chance.uniform(*SILENT_S))
    server.freeze(frozen=False)


LOSSES: Sequence[Loss] = [kill, kick, stall, freeze]


@contextmanager
def running(folder: Path, kafka: str) -> Iterator[tuple[RtspServer, Deployment]]:
    """All roles, at work on four cameras."""
    with rtsp_server() as server, receiver(UP) as ops:
        film = pack(DATA / "yard.mp4", folder / "packets")
        cameras = [
            {"id": name, "url": server.add(f"/{name}", file=film), "mode": "live", "fps": 2}
            for name in CAMERAS
        ]
        with deployment(folder, kafka, cameras=cameras) as deployed:
            deployed.tell(ops)
            deployed.start(*ROLES)
            wait_all_live(deployed)
            yield server, deployed


def wait_all_live(deployed: Deployment) -> None:
    ingest = role(deployed, "ingest")
    wait_until(
        lambda: all(ingest.metric("camera_state", camera=name, state="live") for name in CAMERAS),
        "all cameras are live",
    )


def role(deployed: Deployment, name: str) -> Process:
    (process,) = (each for each in deployed.processes if each.role == name)
    return process


def sample(process: Process, minute: float) -> Sample:
    own = Path(f"/proc/{process.popen.pid}")
    threads, descriptors = (len(list((own / each).iterdir())) for each in ("task", "fd"))
    return Sample(minute, threads, descriptors, process.resident_mb())


def soak(server: RtspServer, deployed: Deployment) -> dict[str, list[Sample]]:
    """Lose cameras until the time is over, and look at every role after each loss."""
    chance = Random(7)
    began = time.monotonic()
    held: dict[str, list[Sample]] = {name: [] for name in ROLES}
    minute, losses = 0.0, 0
    while minute < MINUTES:
        time.sleep(chance.uniform(*CALM_S))  # calm is part of the soak
        chance.choice(LOSSES)(server, chance)
        wait_all_live(deployed)
        minute, losses = (time.monotonic() - began) / 60, losses + 1
        for name in ROLES:
            held[name].append(sample(role(deployed, name), minute))
        if losses % 2 == 0:
            print(
                f"{minute:5.1f}/{MINUTES:g} min, {losses} losses: {held['ingest'][-1]}", flush=True
            )
    return held


def draw(held: dict[str, list[Sample]]) -> None:
    """Plots of each role, for who wants to see more than that a bound was kept."""
    report = Report(Console(quiet=True), ROOT / "out" / "soak")
    for name, samples in held.items():
        for unit in ("threads", "descriptors", "resident_mb"):
            points = [(each.minute, float(getattr(each, unit))) for each in samples]
            report.line(f"{name}-{unit}", f"{name}: {unit}", ("minutes", unit), points)


def assert_nothing_leaks(name: str, samples: Sequence[Sample]) -> None:
    warm = [each for each in samples if each.minute >= WARM_UP_SHARE * MINUTES]
    early, late = warm[: len(warm) // 2], warm[len(warm) // 2 :]
    for unit, bound in (("threads", MORE), ("descriptors", MORE)):
        before, after = (max(getattr(each, unit) for each in part) for part in (early, late))
        assert after <= before + bound, f"{name}: {unit} {before} → {after}"
    before, after = (median(each.resident_mb for each in part) for part in (early, late))
    assert after <= GROWTH * before, f"{name}: {before:.0f} → {after:.0f} MB"


def test_cameras_that_are_lost_at_random_leave_nothing_behind(tmp_path: Path, kafka: str) -> None:
    with running(tmp_path, kafka) as (server, deployed):
        held = soak(server, deployed)
        draw(held)
        ingest, *others = (role(deployed, name) for name in reversed(ROLES))
        assert ingest.stop() == 0
        seen = deployed.wait_closed()
        assert [each.stop() for each in others] == [0, 0, 0]
        texts = [each.text() for each in deployed.processes]
    for name, samples in held.items():
        assert_nothing_leaks(name, samples)
    assert not any("Traceback" in text for text in texts)
    assert seen.audit.missing == 0
    for epoch in seen.audit.epochs:
        assert epoch.complete
        assert epoch.beyond == epoch.duplicates == epoch.out_of_order == 0
