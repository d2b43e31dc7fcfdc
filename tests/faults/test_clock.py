"""The clocks of hosts step by an hour, under every role: nobody is told what is not so, and what is
so is told.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from connectors import open_transport
from connectors.webhook import message_id
from stream import codec
from stream.config import load
from stream.types import Alert, CameraStatus, Pixels
from tests.faults.film import FULL
from tests.faults.verdict import wait_taken
from tests.support.alerts import opened
from tests.support.clock import START_US
from tests.support.host_clock import HOUR_S, HostClock, ahead_s, require_faketime
from tests.support.pictures import write_film
from tests.support.receiver import UP, Receiver, receiver
from tests.support.roles import Deployment, Process, deployment
from tests.support.rtsp import RtspServer, pack, rtsp_server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PATH = "/hall"
NO_CAMERA = "rtsp://127.0.0.1:1/"
FPS = 10
SEEN = 60 if FULL else 15
"""Results between two steps. A camera counts as skewed after at most 10 s, which are 50."""
STEPS = (HOUR_S, -HOUR_S, 0) if FULL else (HOUR_S,)
ROLES = ("ingest", "segment", "watch", "notify")
ZONE = {"id": "desk", "camera": "hall", "polygon": [[0.2, 0.1], [0.8, 0.1], [0.8, 0.9], [0.2, 0.9]]}
TROUBLES = ["lost", "frozen", "black", "moved", "skewed", "slow"]
INSIDE = {"zone": "desk", "labels": ["white"], "resolve": "1s"}
RULES: Sequence[Mapping[str, Any]] = (
    {"id": "inside", "kind": "presence", "frames": 2, **INSIDE},
    {"id": "stays", "kind": "dwell", "duration": "2s", **INSIDE},
    {"id": "one", "kind": "count", "at_least": 1, "for": "2s", **INSIDE},
    {"id": "nobody", "kind": "absence", "for": "2s", **INSIDE},
    {"id": "trouble", "kind": "health", "conditions": TROUBLES, "for": "1s", "resolve": "1s"},
)
SOMEBODY, NOBODY = {"inside", "stays", "one"}, {"nobody"}
"""The rules whose alerts are open while somebody is there, and while nobody is."""


def wandering(grey: int) -> list[Pixels]:
    """A block that goes to and fro within the zone, once in 4 s: found where it is bright."""
    shown = []
    for number in range(4 * FPS):
        pixels = np.full((120, 160, 3), 64, np.uint8)
        x = 70 + round(15 * math.sin(2 * math.pi * number / (4 * FPS)))
        pixels[40:80, x : x + 24] = grey
        shown.append(pixels)
    return shown


@contextmanager
def camera(folder: Path) -> Iterator[tuple[RtspServer, Mapping[str, Path]]]:
    """A camera in front of which somebody is, and its films by what they show."""
    films = {}
    for name, grey in {"somebody": 240, "nobody": 100}.items():
        film = folder / f"{name}.mp4"
        write_film(str(film), wandering(grey), "libx264", FPS, g="10", tune="zerolatency")
        films[name] = pack(film, folder / f"{name}.packets")
    with rtsp_server() as server:
        server.add(PATH, file=films["somebody"])
        yield server, films


class Hosts:
    """The roles, each on a host of its own, whose clocks step."""

    def __init__(self, deployed: Deployment, clocks: Mapping[str, HostClock]) -> None:
        self._deployed = deployed
        self._clocks = clocks
        self._roles: dict[str, Process] = {}

    def start(self, *roles: str) -> None:
        for role in roles:
            self._deployed.env = self._clocks[role].env
            if role == "segment":
                self._roles[role] = self._deployed.start_bright()
            else:
                (self._roles[role],) = self._deployed.start(role)

    def stop(self) -> None:
        for role in ROLES:
            assert self._roles[role].stop() == 0, self._roles[role].text()
            assert "Traceback" not in self._roles[role].text()

    def put(self, ahead: int, *roles: str) -> None:
        """Set the clocks of these roles."""
        for role in roles:
            self._clocks[role].step(ahead)

    def step(self, ahead: int, *roles: str) -> None:
        """Set the clocks of these roles, see that it reached them, and let work go on."""
        self.put(ahead, *roles)
        for role in roles:
            wait_until(partial(self._is_ahead, role, ahead), f"{role} is ahead by {ahead} s")
        there = self._deployed.records("tracks")
        wait_until(lambda: self._deployed.records("tracks") >= there + SEEN, f"{SEEN} more results")

    def _is_ahead(self, role: str, seconds: int) -> bool:
        return abs(ahead_s(self._roles[role]) - seconds) < 30

    def wait_open(self, rules: set[str]) -> None:
        """The alerts of these rules are open, and no other's."""

        def are_open() -> bool:
            told = {each.rule: each.state for each in alerts(self._deployed)}
            return {rule for rule, state in told.items() if state != "resolved"} == rules

        wait_until(are_open, f"open: {sorted(rules)}", pause_s=0.3)


@contextmanager
def hosts(folder: Path, kafka: str, url: str, ops: Receiver) -> Iterator[tuple[Hosts, Deployment]]:
    """The roles, not started yet; their clocks are right."""
    sections: dict[str, Any] = {
        "model": {"weights": "none"},  # one stands in that knows a label of its own
        "cameras": [{"id": "hall", "url": url, "fps": 5}],
        "zones": [ZONE],
        "rules": [dict(rule) for rule in RULES],
        "freshness": {"max_age": "30s"},  # a busy machine is no fault here
        "camera_health": {"frozen_after": "2s"},
    }
    clocks = {role: HostClock(folder / f"{role}.clock") for role in ROLES}
    with deployment(folder, kafka, **sections) as deployed:
        deployed.tell(ops)
        yield Hosts(deployed, clocks), deployed


def alert(number: int) -> Alert:
    """Of a camera that nobody has."""
    return structs.replace(
        opened(f"{number:024x}"), camera=f"gate-{number}", opened_us=START_US, time_us=START_US
    )


def alerts(deployed: Deployment) -> list[Alert]:
    return asyncio.run(_alerts(deployed))


async def _alerts(deployed: Deployment) -> list[Alert]:
    transport = open_transport(load(deployed.config, secrets=False))
    found = [codec.decode(each) async for each in transport.whole("alerts")]
    return [each for each in found if isinstance(each, Alert)]


async def statuses(deployed: Deployment) -> list[str]:
    """The states that the camera went through, as it was told."""
    transport = open_transport(load(deployed.config, secrets=False))
    found = [codec.decode(each) async for each in transport.whole("camera-status")]
    states = [each.state for each in found if isinstance(each, CameraStatus)]
    return [state for state, _ in groupby(states)]


def changes(deployed: Deployment) -> list[tuple[str, str]]:
    """What began and ended of each rule, rule by rule, in order."""
    told = [(each.rule, each.state) for each in alerts(deployed) if each.state != "updated"]
    return sorted(told, key=lambda each: each[0])


def assert_undisturbed(deployed: Deployment) -> None:
    """Each rule told of somebody who was there, went and came again, and the camera never left."""
    twice = [(rule, state) for rule in SOMEBODY for state in ("opened", "resolved", "opened")]
    once = [(rule, state) for rule in NOBODY for state in ("opened", "resolved")]
    assert changes(deployed) == sorted([*twice, *once], key=lambda each: each[0])
    assert asyncio.run(statuses(deployed)) == ["connecting", "live"]
    (epoch,) = deployed.seen().audit.epochs
    assert epoch.missing == epoch.duplicates == epoch.out_of_order == 0


def test_a_clock_that_steps_makes_no_alert_and_ends_none(tmp_path: Path, kafka: str) -> None:
    require_faketime()
    with ExitStack() as stack:
        ops = stack.enter_context(receiver(UP))
        server, films = stack.enter_context(camera(tmp_path))
        here, deployed = stack.enter_context(hosts(tmp_path, kafka, server.url(PATH), ops))
        here.start(*ROLES)
        here.wait_open(SOMEBODY)
        for role in ROLES:
            for ahead in STEPS:
                here.step(ahead, role)
        here.step(HOUR_S, *ROLES)
        server.switch(PATH, file=films["nobody"])
        here.wait_open(NOBODY)
        wait_until(lambda: ops.refused > 0, "a try by a clock that is wrong")
        here.step(-HOUR_S, "ingest", "segment", "watch")
        here.step(0, "notify")
        server.switch(PATH, file=films["somebody"])
        here.wait_open(SOMEBODY)
        here.step(0, *ROLES)
        assert_undisturbed(deployed)
        wait_taken(deployed, ops, [message_id(each) for each in alerts(deployed)])
        here.stop()


@pytest.mark.parametrize("ahead", [HOUR_S, pytest.param(-HOUR_S, marks=pytest.mark.long)])
def test_a_notify_that_was_started_by_a_wrong_clock_delivers_once_it_is_right(
    tmp_path: Path, kafka: str, ahead: int
) -> None:
    require_faketime()
    with receiver(UP) as ops, hosts(tmp_path, kafka, NO_CAMERA, ops) as (here, deployed):
        here.put(ahead, "notify")
        here.start("notify")
        deployed.write("alerts", map(codec.encode, [alert(0), alert(1)]))
        wait_until(lambda: ops.refused >= 2, "each was tried")
        here.put(0, "notify")
        deployed.write("alerts", map(codec.encode, [alert(2)]))
        wait_taken(deployed, ops, [message_id(alert(number)) for number in range(3)])
