"""Fixtures of the tests of the images."""

from pathlib import Path

import pytest

from tests.support.images import Image, require_image


@pytest.fixture
def cpu() -> Image:
    """The image ``maskstream``."""
    return require_image("maskstream")


@pytest.fixture
def cuda() -> Image:
    """The image ``maskstream-cuda``."""
    return require_image("maskstream-cuda")


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """What a container sees at `GIVEN`."""
    path = tmp_path / "given"
    path.mkdir()
    return path
