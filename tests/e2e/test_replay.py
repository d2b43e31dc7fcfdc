"""``maskstream alerts replay``: what an endpoint never took reaches it, and nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from connectors.webhook import message_id
from stream import codec
from stream.errors import EXIT_CONFIG
from tests.support.alerts import OPENED_US, opened
from tests.support.receiver import SECRET, UP, Receiver, receiver
from tests.support.roles import Deployment, deployment
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

FORBIDDEN = 403
BOTH = ("ops", "pager")
A1, B2 = (opened(name, *BOTH) for name in ("a1", "b2"))
OVER = msgspec.structs.replace(A1, state="resolved", time_us=OPENED_US + 9_000_000)
ALERTS = (A1, OVER, B2)
NAMES = {message_id(each) for each in ALERTS}


@contextmanager
def two(folder: Path, kafka: str, ops: Receiver, pager: Receiver) -> Iterator[Deployment]:
    """A deployment that tells both."""
    (folder / "secret").write_text(SECRET)
    secret = {"secret": {"file": str(folder / "secret")}, "allow_private": True}
    endpoints = [
        {"id": name, "url": each.url, **secret}
        for name, each in zip(BOTH, (ops, pager), strict=True)
    ]
    with deployment(folder, kafka, endpoints=endpoints) as deployed:
        yield deployed


def replayed(deployed: Deployment, *more: str) -> tuple[list[str], str]:
    """The last words of each line that a replay prints, and what it sums up."""
    done = deployed.tried("alerts", "replay", more=more)
    assert done.returncode == 0, done.stderr
    return [line.split("  ")[-1].strip() for line in done.stdout.splitlines()[1:]], done.stderr


def test_what_an_endpoint_refused_is_sent_to_it_again_until_it_takes_it(
    tmp_path: Path, kafka: str
) -> None:
    with (
        receiver(FORBIDDEN) as ops,
        receiver(UP) as pager,
        two(tmp_path, kafka, ops, pager) as deployed,
    ):
        (notify,) = deployed.start("notify")
        deployed.write("alerts", map(codec.encode, ALERTS))
        wait_until(lambda: deployed.records("dead-letters") == 3, "ops has refused all")
        wait_until(lambda: pager.taken.keys() == NAMES, "pager has taken all")

        assert replayed(deployed, "--dry-run") == (
            ["would be sent again"] * 3,
            "3 would be sent again\n",
        )
        assert replayed(deployed, "--endpoint", "pager") == ([], "nothing was given up\n")
        assert deployed.records("alerts") == 3

        ops.status = UP
        assert replayed(deployed, "--since", "1h") == (["sent again"] * 3, "3 sent again\n")
        wait_until(lambda: ops.taken.keys() == NAMES, "ops has taken all")
        wait_until(
            lambda: notify.metric("deliveries_total", endpoint="ops", outcome="delivered") == 3,
            "that is written down",
        )
        wait_until(lambda: notify.metric("deliveries_pending", endpoint="ops") == 0, "it is done")
        assert all(len(bodies) == 1 for bodies in ops.bodies.values())
        assert deployed.records("alerts") == 6

        assert replayed(deployed) == (["was taken since"] * 3, "3 was taken since\n")
        assert deployed.records("alerts") == 6
        assert {*ops.taken.values()} == {*pager.taken.values()} == {1}


def test_a_replay_that_is_asked_for_wrongly_says_so(tmp_path: Path, kafka: str) -> None:
    with receiver(UP) as ops, two(tmp_path, kafka, ops, ops) as deployed:
        for more, told in [
            (("--endpoint", "opps"), "--endpoint: unknown endpoint opps, did you mean ops?\n"),
            (("--since", "noon"), "--since: given noon; allowed: how long ago (90m, 2h), or an "),
        ]:
            done = deployed.tried("alerts", "replay", more=more)
            assert done.returncode == EXIT_CONFIG
            assert done.stderr.startswith(told)
