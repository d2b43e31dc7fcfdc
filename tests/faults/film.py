"""The demo's film with all of its pictures, for faults that take their time."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.verdict import wait_for_results
from tests.support.kafka import Node
from tests.support.roles import DATA, Deployment, deployment

FILM = 1125
"""Its pictures."""
FULL = os.environ.get("MASKSTREAM_FAULTS") == "full"
"""Whether faults last as long and come as often as the fault matrix says."""
OUTAGE_S = 60.0 if FULL else 20.0
"""How long brokers are away: longer than a session, and than a request waits for its answer, in
the short form too."""


@contextmanager
def long_film(folder: Path, nodes: Sequence[Node], **more: Any) -> Iterator[Deployment]:
    """A deployment that segments the film; ``more`` are sections of its configuration."""
    camera = {"id": "yard", "url": str(DATA / "yard.mp4"), "mode": "archive"}
    bootstrap = ",".join(node.bootstrap for node in nodes)
    with deployment(folder, bootstrap, len(nodes), cameras=[camera], **more) as deployed:
        yield deployed


def begin(deployed: Deployment) -> None:
    deployed.start("segment", "watch", "ingest")
    wait_for_results(deployed, 20)


def assert_nobody_left(deployed: Deployment) -> None:
    """But for ingest, whose file may have ended."""
    for process in deployed.processes:
        assert process.is_running or process.popen.returncode == 0, process.text()[-2000:]
