"""A camera in trouble, from its pictures to a webhook; and that it is well again."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors import open_transport
from connectors.clock import SteadyClock, WallClock
from stream.cli.bench.sleeping import Sleep, SleepingModel
from stream.cli.embedded import beside, run_roles
from stream.cli.observers import counts
from stream.cli.pipeline import Common, open_sinks, roles
from stream.config import load
from stream.device import Device
from stream.metrics import Metrics
from stream.registry import Listed
from stream.rulebook import Rulebook
from stream.tally import Tally
from stream.types import Pixels
from tests.support.pictures import PEOPLE, pictures, write_film
from tests.support.receiver import SECRET, UP, Receiver, receiver
from tests.support.rtsp import pack, rtsp_server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FPS = 10
PATIENCE_S = 90.0


def camera_in(condition: str) -> dict[str, Any]:
    """A rule on one condition."""
    soon = {"for": "1s", "resolve": "1s", "notify": ["ops"]}
    return {"id": f"is-{condition}", "kind": "health", "conditions": [condition], **soon}


class Installation:
    """One camera, watched by ``rules``; alerts go to a webhook."""

    def __init__(self, folder: Path, url: str, ops: Receiver, conditions: Sequence[str]) -> None:
        self._ops = ops
        self.tally = Tally()
        self.metrics = Metrics()
        self._config = folder / "health.yaml"
        to_ops = {
            "id": "ops", "url": ops.url, "secret": {"env": "OPS_SECRET"}, "allow_private": True,
        }  # fmt: skip
        document = {
            "model": {"weights": "none.pt"},
            "cameras": [{"id": "hall", "url": url, "fps": FPS}],
            "camera_health": {"frozen_after": "2s"},
            "freshness": {"max_age": "30s"},
            "rules": [camera_in(condition) for condition in conditions],
            "endpoints": [to_ops],
        }
        self._config.write_text(json.dumps(document))

    async def run(self, stop: asyncio.Event) -> None:
        """All roles, with a model that finds nothing, until ``stop`` or the end of a file."""
        settings, clock = load(self._config), SteadyClock()
        transport = open_transport(settings)
        async with open_sinks(settings.endpoints, WallClock()) as sinks:
            rulebook = Rulebook(settings.rules, settings.zones)
            common = Common(
                settings, rulebook, Listed(settings.cameras), transport, clock, self.metrics
            )
            device = Device(SleepingModel(Sleep(seconds=0.001)), clock, self.metrics)
            working = roles(common, device, sinks)
            async with beside(device.run()):
                await run_roles(transport, [*working, counts(self.tally, clock)], stop, 10.0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All roles, until the block ends."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    @property
    def told(self) -> list[dict[str, Any]]:
        """The alerts that the webhook took, in order."""
        bodies = [body for each in list(self._ops.bodies.values()) for body in each]
        found = [json.loads(body)["data"] for body in bodies]
        return sorted(found, key=lambda each: int(each["time_us"]))

    async def fares(self, condition: str, *states: str) -> None:
        """Return once the first alert of a rule went through these states."""

        def fared() -> bool:
            came = [each["state"] for each in self.told if each["rule"] == f"is-{condition}"]
            return came[: len(states)] == [*states]

        await asyncio.to_thread(wait_until, fared, f"{condition}: {states}", PATIENCE_S)

    async def sees(self, results: int) -> None:
        """Return once so many results came."""
        what = f"{results} results"
        await asyncio.to_thread(wait_until, lambda: self.tally.results >= results, what)


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_SECRET", SECRET)


async def test_a_film_that_goes_black_opens_and_resolves_an_alert(
    shared: Path, tmp_path: Path
) -> None:
    alive = pictures(shared / "video" / PEOPLE, 0, 5)
    film = tmp_path / "hall.mp4"
    seen = [*alive[:20], *[np.zeros_like(alive[0])] * 35, *alive]
    write_film(str(film), seen, "libx264", FPS, g="10", preset="veryfast", tune="zerolatency")
    with receiver(UP) as ops:
        installed = Installation(tmp_path, str(film), ops, ["black", "lost", "moved", "slow"])
        await installed.run(asyncio.Event())
        opened, resolved = installed.told
    assert (opened["state"], resolved["state"]) == ("opened", "resolved")
    assert (opened["rule"], opened["kind"], opened["labels"]) == ("is-black", "health", ["black"])
    assert opened["detail"].startswith("black: for ")
    assert (opened["zone"], opened["tracks"], opened["evidence"]) == (None, [], None)
    (epoch,) = installed.tally.audit.epochs
    assert (epoch.complete, epoch.offered) == (True, len(seen))


async def test_a_network_camera_that_freezes_goes_black_and_is_lost_comes_back(
    shared: Path, tmp_path: Path
) -> None:
    alive = pictures(shared / "video" / PEOPLE, 0, 20)
    scenes = {
        "alive": alive,
        "frozen": [*alive[:20], *[alive[20]] * 120],
        "black": [np.zeros_like(alive[0])] * 20,
    }
    films = {name: _packed(tmp_path, name, seen) for name, seen in scenes.items()}
    with rtsp_server() as server, receiver(UP) as ops:
        url = server.add("/hall", file=films["alive"])
        installed = Installation(tmp_path, url, ops, ["frozen", "black", "lost"])
        async with installed.running():
            await installed.sees(20)
            assert installed.told == []
            for trouble in ("frozen", "black"):
                server.switch("/hall", file=films[trouble])
                await installed.fares(trouble, "opened")
                server.switch("/hall", file=films["alive"])
                await installed.fares(trouble, "opened", "resolved")
            server.stall("/hall")
            await installed.fares("lost", "opened")
            server.stall("/hall", stalled=False)
            await installed.fares("lost", "opened", "resolved")
        lost = next(each for each in installed.told if each["rule"] == "is-lost")
    assert lost["detail"].startswith("lost: ")
    assert installed.tally.audit.passed
    assert len(installed.tally.audit.epochs) >= 2


def _packed(folder: Path, name: str, seen: list[Pixels]) -> Path:
    film = folder / f"{name}.mp4"
    write_film(str(film), seen, "libx264", FPS, g="10", preset="veryfast", tune="zerolatency")
    return pack(film, folder / f"{name}.packets")
