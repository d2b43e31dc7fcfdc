"""Fixtures and settings for all tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.kafka import Node, cluster, require_kafka
from tests.support.required import require
from tests.support.secured import Secured, secured_broker

SHARED = Path(__file__).resolve().parents[2] / "shared"

settings.register_profile(
    "maskstream",
    deadline=None,  # nothing here judges by the wall clock
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("maskstream")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real clips and weights, beside the repository."""
    require("shared", SHARED.is_dir(), "no test material at ../shared, beside the repository")
    return SHARED


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before_s)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a real broker: ``MASKSTREAM_TEST_KAFKA``, else one that is started."""
    if (running := os.environ.get("MASKSTREAM_TEST_KAFKA")) is not None:
        yield running
        return
    require_kafka()
    with cluster(1) as (node,):
        yield node.bootstrap


@pytest.fixture(scope="session")
def kafka3() -> Iterator[list[Node]]:
    """Three brokers that hold three copies, to be killed and started again."""
    require_kafka()
    with cluster(3) as nodes:
        yield nodes


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker with ports that encrypt, and ports that want a password."""
    with secured_broker(tmp_path_factory.mktemp("secured")) as broker:
        yield broker
