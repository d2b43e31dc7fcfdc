"""A stop that comes while a role still starts, as process 1 of a container."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from stream.cli import LASTING
from stream.cli.app import app
from stream.errors import EXIT_OK
from tests.support.first_process import AS_FIRST, require_namespaces, stop
from tests.support.roles import DATA, MODEL, STOP_S, deployment

COMMAND = (*AS_FIRST, sys.executable, "-c", "from stream.cli import main; main()")
READING = ("run", "ingest", "segment", "segment --workers 2", "watch", "notify", "web")


@pytest.fixture(autouse=True)
def _allowed() -> None:
    require_namespaces()


def test_whoever_lasts_ends_well_when_told_to_before_anything_is_read(tmp_path: Path) -> None:
    """Nobody writes what the configuration is read from: they start for ever."""
    config, log = tmp_path / "config.yaml", tmp_path / "log"
    os.mkfifo(config)
    with log.open("wb") as out:
        started = [
            subprocess.Popen([*COMMAND, *role.split(), str(config)], stdout=out, stderr=out)
            for role in READING
        ]
    assert [stop(each, STOP_S) for each in started] == [EXIT_OK] * len(READING)
    assert log.read_text() == ""


@pytest.mark.slow
def test_a_segment_that_loads_its_model_ends_well_when_told_to(tmp_path: Path, kafka: str) -> None:
    """Nobody writes its manifest: it loads for ever."""
    weights = tmp_path / "weights"
    shutil.copytree(DATA / "yard-seg", weights)
    (weights / "manifest.json").unlink()
    os.mkfifo(weights / "manifest.json")
    with deployment(tmp_path, kafka, model={**MODEL, "weights": str(weights)}) as deployed:
        segment = deployed.begin("segment", before=AS_FIRST)
        assert stop(segment.popen, STOP_S) == EXIT_OK
        assert "Traceback" not in segment.text()


def test_what_lasts_is_a_command() -> None:
    assert get_command(app).commands.keys() >= LASTING  # type: ignore[attr-defined]
