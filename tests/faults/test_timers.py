"""A watcher that is killed while somebody loiters, or while nobody is there, with either host: what
was counted goes on, and the alert comes once, as if nothing had happened.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from stream import codec
from stream.types import Alert, MaskMessage
from tests.faults.verdict import wait_committed
from tests.support.build import instance, opened, result
from tests.support.clock import START_US
from tests.support.roles import Deployment, deployment
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

HOSTS = ["watch", pytest.param("watch --host faust", marks=pytest.mark.long)]
FPS = 5
LASTING_S = 20
AWAY_S, BACK_S, END_S = 30, 60, 65
"""Somebody is there, goes, and comes back."""
RESOLVED_S = 1.8
"""From the first that differs: two seconds after the last that did not."""
ZONE = {"id": "desk", "camera": "yard", "polygon": [[0.05, 0.05], [0.9, 0.05], [0.9, 0.9]]}
WATCHED = {"zone": "desk", "overlap": 0.1, "resolve": "2s"}
RULES: Sequence[Mapping[str, Any]] = (
    {"id": "stays", "kind": "dwell", "duration": f"{LASTING_S}s", **WATCHED},
    {"id": "one", "kind": "count", "at_least": 1, "for": f"{LASTING_S}s", **WATCHED},
    {"id": "nobody", "kind": "absence", "for": f"{LASTING_S}s", **WATCHED},
)


def masks(begin_s: int, end_s: int) -> Iterator[MaskMessage]:
    """What is seen from one second to another."""
    if begin_s == 0:
        yield opened("yard")
    for seq in range(begin_s * FPS, end_s * FPS):
        at_us = START_US + seq * 1_000_000 // FPS
        is_there = not AWAY_S <= seq / FPS < BACK_S
        seen = result(seq, "yard", *([instance()] if is_there else []))
        yield structs.replace(seen, time_us=at_us, arrived_us=at_us)


@contextmanager
def watching(folder: Path, kafka: str) -> Iterator[Deployment]:
    with deployment(folder, kafka, zones=[ZONE], rules=[dict(rule) for rule in RULES]) as deployed:
        yield deployed


def show(deployed: Deployment, begin_s: int, end_s: int) -> None:
    """Let a watcher see this much, which it has told of and may not have committed yet."""
    deployed.write("masks", map(codec.encode, masks(begin_s, end_s)))
    there = end_s * FPS
    wait_until(lambda: deployed.records("tracks") >= there, f"{end_s} s are watched", 90.0)


def told(alerts: Sequence[Alert]) -> list[tuple[str, str, float]]:
    """Of each change: its rule, and when it was, in seconds."""
    return [(each.rule, each.state, (each.time_us - START_US) / 1e6) for each in alerts]


@pytest.mark.parametrize("host", HOSTS)
def test_a_watcher_killed_while_somebody_loiters_forgets_no_second(
    tmp_path: Path, kafka: str, host: str
) -> None:
    with watching(tmp_path, kafka) as deployed:
        (watch,) = deployed.start(host)
        show(deployed, 0, LASTING_S // 2)
        watch.kill()
        (watch,) = deployed.start(host)
        show(deployed, LASTING_S // 2, AWAY_S + 5)
        wait_committed(deployed, "watch", "masks")
        show(deployed, AWAY_S + 5, AWAY_S + LASTING_S // 2)
        watch.kill()
        (watch,) = deployed.start(host)
        show(deployed, AWAY_S + LASTING_S // 2, END_S)
        wait_committed(deployed, "watch", "masks")
        seen = deployed.seen()
        assert watch.stop() == 0
    assert told(seen.alerts) == [
        ("stays", "opened", LASTING_S),
        ("one", "opened", LASTING_S),
        ("stays", "resolved", AWAY_S + RESOLVED_S),
        ("one", "resolved", AWAY_S + RESOLVED_S),
        ("nobody", "opened", AWAY_S + LASTING_S),
        ("nobody", "resolved", BACK_S + RESOLVED_S),
    ]
    assert all(each.opened_us == each.time_us for each in seen.alerts if each.state == "opened")
    assert list(map(codec.to_json, seen.alerts)) == list(map(codec.to_json, seen.expected))
