"""A camera that is lost again and again: it comes back by itself, and leaves nothing behind."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from stream.cli.bench.sleeping import Sleep
from tests.faults.film import FULL
from tests.support.films import Film, write_film
from tests.support.roles import Deployment, Process, deployment
from tests.support.rtsp import RtspServer, pack, rtsp_server
from tests.support.waiting import wait_until

CAMERA, PATH = "hall", "/hall"
FILM = Film()
LOSSES = 200 if FULL else 8
SILENCES = 5 if FULL else 1
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 12 * LOSSES)]
LOST_S = 12.0
BACK_S = (5.0 if FULL else 20.0) + FILM.keyframes_s
"""The short form runs beside other work: it shows that cameras come back, the full one how soon."""
SETTLED = LOSSES // 2
"""Losses after which everything was made once: Kafka clients connect once more after 5 minutes."""


@contextmanager
def watched(folder: Path, kafka: str) -> Iterator[tuple[RtspServer, Deployment, Process]]:
    """A live camera on the network, its ingest, and a segment that takes no time."""
    with rtsp_server() as server:
        url = server.add(PATH, file=pack(write_film(folder / "film.mp4", FILM), folder / "packets"))
        camera = {"id": CAMERA, "url": url, "mode": "live"}
        with deployment(folder, kafka, cameras=[camera], zones=[], rules=[]) as deployed:
            deployed.start_sleeping(Sleep(batch_size=8, seconds=0.01))
            (ingest,) = deployed.start("ingest")
            wait_back(ingest, 0)
            yield server, deployed, ingest


def connects(ingest: Process) -> int:
    return int(ingest.metric("camera_connects_total", camera=CAMERA))


def is_live(ingest: Process) -> bool:
    return ingest.metric("camera_state", camera=CAMERA, state="live") == 1


def wait_back(ingest: Process, before: int) -> None:
    """Pictures come in a new epoch."""
    wait_until(lambda: connects(ingest) > before and is_live(ingest), "the camera is back", BACK_S)


def holds(ingest: Process) -> tuple[int, int]:
    """Its threads and its descriptors."""
    own = Path(f"/proc/{ingest.popen.pid}")
    return len(list((own / "task").iterdir())), len(list((own / "fd").iterdir()))


def kill(server: RtspServer, chance: Random) -> None:
    """The server dies, and is there again after a while."""
    server.kill()
    time.sleep(chance.uniform(0, 1.5))
    server.restart()


def kick(server: RtspServer, _: Random) -> None:
    """The connection ends, and the next one is welcome."""
    server.kick()


def test_a_camera_that_is_lost_comes_back_and_leaves_nothing_behind(
    tmp_path: Path, kafka: str
) -> None:
    chance = Random(4)
    held: list[tuple[int, int]] = []
    with watched(tmp_path, kafka) as (server, deployed, ingest):
        for number in range(LOSSES):
            before = connects(ingest)
            chance.choice([kill, kick])(server, chance)
            wait_back(ingest, before)
            held.append(holds(ingest))
            if FULL and number % 20 == 19:
                print(f"  {number + 1}/{LOSSES}: threads, descriptors {held[-1]}", flush=True)
        assert ingest.stop() == 0
        seen = deployed.wait_closed()
        text = ingest.text()
    (threads, descriptors), (threads_after, descriptors_after) = held[SETTLED - 1], held[-1]
    assert threads_after <= threads + 3, held
    assert descriptors_after <= descriptors + 3, held
    assert "Traceback" not in text
    assert seen.audit.missing == 0
    assert len(seen.audit.epochs) >= LOSSES + 1
    for epoch in seen.audit.epochs:
        assert epoch.complete
        assert epoch.beyond == epoch.duplicates == epoch.out_of_order == 0


Silence = Callable[[RtspServer, bool], None]


def no_picture(server: RtspServer, silent: bool) -> None:
    """Connections stay open, and the camera goes on to report."""
    server.stall(PATH, stalled=silent)


def nothing_at_all(server: RtspServer, silent: bool) -> None:
    """The camera hangs."""
    server.freeze(frozen=silent)


@pytest.mark.long
@pytest.mark.parametrize("silence", [no_picture, nothing_at_all])
def test_a_camera_that_falls_silent_is_lost_and_comes_back(
    tmp_path: Path, kafka: str, silence: Silence
) -> None:
    with watched(tmp_path, kafka) as (server, deployed, ingest):
        for _ in range(SILENCES):
            before = connects(ingest)
            silence(server, True)
            wait_until(lambda: not is_live(ingest), "the camera counts as lost", LOST_S)
            silence(server, False)
            wait_back(ingest, before)
        assert ingest.stop() == 0
        seen = deployed.wait_closed()
    assert seen.audit.missing == 0
    assert len(seen.audit.epochs) >= SILENCES + 1
