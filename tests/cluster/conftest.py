"""One control plane for all tests of a cluster."""

import time
from collections.abc import Iterator

import pytest

from tests.support.cluster.keda import start_keda
from tests.support.cluster.plane import Plane, control_plane


@pytest.fixture(scope="session")
def plane() -> Iterator[Plane]:
    """A control plane with KEDA, and nothing in it."""
    began_s = time.monotonic()
    with control_plane() as running:
        start_keda(running)
        version = running.api.get("version")["gitVersion"]
        print(f"\nKubernetes {version} with KEDA is up in {time.monotonic() - began_s:.0f} s")
        yield running
        assert running.daemons.ended() == []
