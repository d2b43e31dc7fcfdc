"""Several notify processes on one configuration: each delivers for its own cameras, wherever they
go, and an alert that was taken comes again only where a crash kept that from being written down.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from connectors import open_transport
from stream import codec
from stream.config import load
from stream.errors import EXIT_DRAIN_TIMEOUT, EXIT_OK
from stream.types import Alert, AlertState
from tests.support.receiver import DOWN, SECRET, UP, Receiver, receiver
from tests.support.roles import Deployment, Process, deployment
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

CAMERAS = 12
STATES: tuple[AlertState, ...] = ("opened", "resolved")
TRIES = 8
"""In flight at one endpoint from one process."""


def alert(camera: int, state: AlertState) -> Alert:
    return Alert(
        id=f"{camera:024x}",
        state=state,
        rule="person-inside",
        kind="presence",
        camera=f"hall-{camera}",
        zone="loading",
        labels=("person",),
        severity="warning",
        tracks=(),
        opened_us=1_800_000_000_000_000,
        time_us=1_800_000_000_000_000 + STATES.index(state),
        evidence=None,
        notify=("ops",),
    )


@contextmanager
def notifying(folder: Path, kafka: str, ops: Receiver) -> Iterator[Deployment]:
    (folder / "secret").write_text(SECRET)
    secret = {"file": str(folder / "secret")}
    endpoint = {"id": "ops", "url": ops.url, "secret": secret, "allow_private": True}
    with deployment(folder, kafka, endpoints=[endpoint], drain="2s") as deployed:
        yield deployed


async def write(deployed: Deployment) -> None:
    """An alert of every camera, opened and resolved."""
    transport = open_transport(load(deployed.config, secrets=False))
    async with transport.outbox("alerts") as outbox:
        for camera in range(CAMERAS):
            for state in STATES:
                await outbox.send("alerts", codec.encode(alert(camera, state)))
        await outbox.flush()


def start(deployed: Deployment, count: int = 1) -> list[Process]:
    """So many more, each with the cameras that are its own by now."""
    started = deployed.start(*["notify"] * count)
    for each in started:
        wait_until(partial(each.answers, "/readyz"), "it is ready")
    return started


def pending(process: Process) -> int:
    found = re.search(
        r'^maskstream_deliveries_pending\{endpoint="ops"\} (\S+)$',
        process.get("/metrics"), re.MULTILINE,
    )  # fmt: skip
    return 0 if found is None else int(float(found[1]))


def wait_shared(*processes: Process) -> None:
    """Every delivery waits in one of them, and each has some."""

    def is_shared() -> bool:
        counts = [pending(each) for each in processes]
        return sum(counts) == CAMERAS * len(STATES) and all(counts)

    wait_until(is_shared, "each has its share", pause_s=0.2)


def wait_taken(ops: Receiver) -> None:
    wait_until(lambda: len(ops.taken) == CAMERAS * len(STATES), "everything is taken", 90.0)
    assert all(len(bodies) == 1 for bodies in ops.bodies.values())


def test_a_killed_notify_loses_no_alert(tmp_path: Path, kafka: str) -> None:
    with receiver(DOWN) as ops, notifying(tmp_path, kafka, ops) as deployed:
        first, second = start(deployed, 2)
        asyncio.run(write(deployed))
        wait_shared(first, second)
        wait_until(lambda: len(ops.bodies) == CAMERAS, "each alert was tried")
        first.kill()
        ops.status = UP
        wait_taken(ops)
        assert set(ops.taken.values()) == {1}
        wait_until(lambda: pending(second) == 0, "all is written down")


def test_a_notify_killed_after_a_2xx_repeats_what_was_in_flight_once(
    tmp_path: Path, kafka: str
) -> None:
    with receiver(UP) as ops, notifying(tmp_path, kafka, ops) as deployed:
        first, second = start(deployed, 2)
        ops.may_answer.clear()
        asyncio.run(write(deployed))
        wait_shared(first, second)
        shares = [pending(each) // len(STATES) for each in (first, second)]
        in_flight = sum(min(TRIES, share) for share in shares)
        wait_until(lambda: len(ops.taken) == in_flight, "all tries are in flight")
        first.kill()
        ops.may_answer.set()
        wait_taken(ops)
        wait_until(lambda: pending(second) == 0, "all is written down")
        repeats = Counter(ops.taken.values())
        assert set(repeats) == {1, 2}
        assert repeats[2] == min(TRIES, shares[0])


def test_a_notify_that_comes_and_goes_repeats_nothing(tmp_path: Path, kafka: str) -> None:
    with receiver(DOWN) as ops, notifying(tmp_path, kafka, ops) as deployed:
        (first,) = start(deployed)
        asyncio.run(write(deployed))
        wait_shared(first)
        (second,) = start(deployed)
        wait_shared(first, second)
        assert second.stop() in {EXIT_OK, EXIT_DRAIN_TIMEOUT}
        wait_shared(first)
        (third,) = start(deployed)
        wait_shared(first, third)
        ops.status = UP
        wait_taken(ops)
        assert set(ops.taken.values()) == {1}
        wait_until(lambda: pending(first) + pending(third) == 0, "all is written down")
