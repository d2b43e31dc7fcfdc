"""The demo's film with all of its pictures, for faults that take their time."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.verdict import wait_for_results
from tests.support.kafka import Node
from tests.support.receiver import UP, receiver
from tests.support.roles import DATA, Deployment, deployment

FILM = 1125
"""Its pictures."""
YARD = {"id": "yard", "url": str(DATA / "yard.mp4"), "mode": "archive"}
FULL = os.environ.get("MASKSTREAM_FAULTS") == "full"
"""Whether faults last as long and come as often as the fault matrix says."""
LIMIT_S = 900 if FULL else 600
"""The most that a whole test may take, its outage included."""
OUTAGE_S = 60.0 if FULL else 20.0
"""How long brokers are away: longer than a session, and than a request waits for its answer, in
the short form too."""
RECOVERY_S = 30.0
"""The longest that work may take to go on."""


@contextmanager
def long_film(folder: Path, nodes: Sequence[Node], **more: Any) -> Iterator[Deployment]:
    """A deployment that segments the film, and whose alerts are delivered to a receiver; ``more``
    are sections of its configuration.
    """
    bootstrap = ",".join(node.bootstrap for node in nodes)
    sections = {"cameras": [YARD], **more}
    with (
        receiver(UP) as ops,
        deployment(folder, bootstrap, len(nodes), **sections) as deployed,
    ):
        deployed.tell(ops)
        yield deployed


def begin(deployed: Deployment) -> None:
    deployed.start("segment", "watch", "notify", "ingest")
    wait_for_results(deployed, 20)


def finish(deployed: Deployment) -> None:
    """Let a film that loops end with the epoch that is under way."""
    (ingest,) = (each for each in deployed.processes if each.role == "ingest")
    assert ingest.stop() == 0
    deployed.configure(cameras=[YARD])
    deployed.start("ingest")


def assert_nobody_left(deployed: Deployment) -> None:
    """But for ingest, whose file may have ended."""
    for process in deployed.processes:
        has_ended = process.role == "ingest" and process.popen.poll() == 0
        assert process.is_running or has_ended, process.text()[-2000:]
