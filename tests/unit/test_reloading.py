"""The cameras of a configuration file, while it is edited."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.clock import SteadyClock
from stream.cli.reloading import Reloaded
from stream.config import load
from stream.metrics import Metrics
from stream.specs import CameraSpec
from tests.support.waiting import eventually

HALL = {"id": "hall", "url": "rtsp://camera/1", "fps": 10}
YARD = {"id": "yard", "url": "rtsp://camera/2"}


class Edited:
    """A configuration file, and what its registry said last."""

    def __init__(self, folder: Path) -> None:
        (folder / "yolo.pt").touch()
        self.path = folder / "maskstream.yaml"
        self.metrics = Metrics()
        self.shares: list[Mapping[str, CameraSpec]] = []
        self.write(HALL)

    def write(self, *cameras: Mapping[str, Any], **sections: Any) -> None:
        document = {"model": {"weights": "yolo.pt"}, "cameras": cameras, **sections}
        self.path.write_text(json.dumps(document))

    def reloads(self, outcome: str) -> float:
        name, labels = "maskstream_reloads_total", {"outcome": outcome}
        return self.metrics.registry.get_sample_value(name, labels) or 0

    @property
    def now(self) -> list[str]:
        return list(self.shares[-1])


@asynccontextmanager
async def followed(folder: Path) -> AsyncIterator[Edited]:
    edited = Edited(folder)
    settings = load(edited.path)
    registry = Reloaded(edited.path, settings, ("person",), SteadyClock(), edited.metrics)

    async def follow() -> None:
        async with registry.share() as shares:
            async for share in shares:
                edited.shares.append(share)

    following = asyncio.create_task(follow())
    await eventually(lambda: bool(edited.shares), "the first list")
    yield edited
    assert registry.cameras == edited.shares[-1]
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_a_camera_is_there_once_the_file_names_it(tmp_path: Path) -> None:
    async with followed(tmp_path) as edited:
        edited.write(HALL, YARD)
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")
        edited.write(YARD)
        await eventually(lambda: edited.now == ["yard"], "one camera")
        assert edited.reloads("taken") == 2


async def test_a_file_that_is_replaced_counts_as_changed(tmp_path: Path) -> None:
    async with followed(tmp_path) as edited:
        before = edited.path.stat()
        other = tmp_path / "other.yaml"
        other.write_text(edited.path.read_text().replace('"hall"', '"dock"'))
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.replace(edited.path)
        await eventually(lambda: edited.now == ["dock"], "the other camera")


async def test_a_bad_edit_keeps_the_list_and_says_what_check_would(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.write({**HALL, "fps": -3}, YARD)
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert f"{edited.path}:1: cameras[0].fps: given -3; allowed: > 0" in caplog.text
        assert edited.now == ["hall"]
        edited.write(HALL, YARD)
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")


async def test_a_label_that_the_model_does_not_know_is_a_bad_edit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.write(HALL, {**YARD, "labels": ["persn"]})
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert "cameras[1].labels[0]" in caplog.text
        assert edited.now == ["hall"]


async def test_an_edit_between_the_start_and_the_first_look_is_seen(tmp_path: Path) -> None:
    edited = Edited(tmp_path)
    settings = load(edited.path)
    edited.write(YARD)
    registry = Reloaded(edited.path, settings, ("person",), SteadyClock(), edited.metrics)
    async with registry.share() as shares:
        assert [list(await anext(shares)) for _ in range(2)] == [["hall"], ["yard"]]


async def test_a_camera_whose_file_is_not_there_is_a_bad_edit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.write(HALL, {"id": "film", "url": "gone.mp4"})
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert "cameras[1].url" in caplog.text
        assert edited.now == ["hall"]


async def test_a_file_that_is_taken_away_keeps_the_list(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.path.unlink()
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert "cannot be read: No such file" in caplog.text
        edited.write(YARD)
        await eventually(lambda: edited.now == ["yard"], "the other camera")


async def test_what_else_has_changed_takes_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with followed(tmp_path) as edited:
        edited.write(HALL, YARD, drain="20s")
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")
        assert "changed: drain; it takes a restart" in caplog.text
