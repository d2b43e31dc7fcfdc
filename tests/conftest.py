"""Fixtures and settings for all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.required import require

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
