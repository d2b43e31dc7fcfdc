"""Several notify processes on one configuration: each delivers for its own cameras, wherever they
go, and an alert that was taken comes again only where a crash kept that from being written down.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from connectors.webhook import message_id
from stream import codec
from stream.errors import EXIT_DRAIN_TIMEOUT
from stream.types import Alert, AlertState
from tests.faults.verdict import TRIES, pending, wait_taken
from tests.support.receiver import DOWN, UP, Receiver, receiver
from tests.support.roles import Deployment, Process, deployment
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

CAMERAS = 12
STATES: tuple[AlertState, ...] = ("opened", "resolved")


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


ALERTS = [alert(camera, state) for camera in range(CAMERAS) for state in STATES]
NAMES = [message_id(each) for each in ALERTS]


@contextmanager
def notifying(folder: Path, kafka: str, ops: Receiver) -> Iterator[Deployment]:
    with deployment(folder, kafka, drain="2s") as deployed:
        deployed.tell(ops)
        yield deployed


def write(deployed: Deployment) -> None:
    """An alert of every camera, opened and resolved."""
    deployed.write("alerts", map(codec.encode, ALERTS))


def start(deployed: Deployment, count: int = 1) -> list[Process]:
    """So many more, each with the cameras that are its own by now."""
    started = deployed.start(*["notify"] * count)
    for each in started:
        wait_until(partial(each.answers, "/readyz"), "it is ready")
    return started


def wait_shared(*processes: Process) -> None:
    """Every delivery waits in one of them, and each has some."""

    def is_shared() -> bool:
        counts = [pending(each) for each in processes]
        return sum(counts) == len(ALERTS) and all(counts)

    wait_until(is_shared, "each has its share", pause_s=0.2)


def test_a_killed_notify_loses_no_alert(tmp_path: Path, kafka: str) -> None:
    with receiver(DOWN) as ops, notifying(tmp_path, kafka, ops) as deployed:
        first, second = start(deployed, 2)
        write(deployed)
        wait_shared(first, second)
        wait_until(lambda: len(ops.bodies) == CAMERAS, "each alert was tried")
        first.kill()
        ops.status = UP
        wait_taken(deployed, ops, NAMES)


@pytest.mark.long
def test_a_notify_killed_after_a_2xx_repeats_what_was_in_flight_once(
    tmp_path: Path, kafka: str
) -> None:
    with receiver(UP) as ops, notifying(tmp_path, kafka, ops) as deployed:
        first, second = start(deployed, 2)
        ops.may_answer.clear()
        write(deployed)
        wait_shared(first, second)
        shares = [pending(each) // len(STATES) for each in (first, second)]
        in_flight = sum(min(TRIES, share) for share in shares)
        wait_until(lambda: len(ops.taken) == in_flight, "all tries are in flight")
        first.kill()
        ops.may_answer.set()
        wait_taken(deployed, ops, NAMES, repeats=TRIES)
        repeats = Counter(ops.taken.values())
        assert set(repeats) == {1, 2}
        assert repeats[2] == min(TRIES, shares[0])


@pytest.mark.long
def test_a_notify_that_comes_and_goes_repeats_nothing(tmp_path: Path, kafka: str) -> None:
    with receiver(DOWN) as ops, notifying(tmp_path, kafka, ops) as deployed:
        (first,) = start(deployed)
        write(deployed)
        wait_shared(first)
        (second,) = start(deployed)
        wait_shared(first, second)
        left = pending(second)
        assert second.stop() == EXIT_DRAIN_TIMEOUT
        assert f"{left} deliveries left after 2 s: ops {left}" in second.text()
        wait_shared(first)
        (third,) = start(deployed)
        wait_shared(first, third)
        ops.status = UP
        wait_taken(deployed, ops, NAMES)
