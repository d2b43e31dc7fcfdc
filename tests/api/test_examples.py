"""docs/api.md is true: its commands are run as they stand there."""

import asyncio
import os
import re
import shutil
from pathlib import Path

import cv2
import msgspec
import pytest

from stream.config import parse
from tests.support.api import running, with_token
from tests.support.build import picture
from tests.support.encoded import jpeg, png
from tests.support.models import BrightModel
from tests.support.required import require

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
WRITTEN = "http://127.0.0.1:8080"
TOKEN = "a-token-that-is-long-enough"
COMMANDS = re.findall(r"^curl .+$", PAGE, re.MULTILINE)


class YardModel(BrightModel):
    labels: tuple[str, ...] = ("person", "forklift")


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_of_the_page_does_what_it_says(command: str, tmp_path: Path) -> None:
    require("curl", shutil.which("curl") is not None, "curl is not installed")
    (tmp_path / "picture.jpg").write_bytes(jpeg(picture((8, 8, 24, 40))))
    (tmp_path / "picture.png").write_bytes(png(picture((8, 8, 24, 40))))
    (tmp_path / "token").write_text(TOKEN)
    spec = with_token(str(tmp_path / "token"))
    if "Bearer" not in command:
        spec = spec.model_copy(update={"token": None})
    async with running(YardModel(batch_size=4), spec) as api:
        process = await asyncio.create_subprocess_shell(
            command.replace("curl ", "curl --fail-with-body ").replace(WRITTEN, api.url),
            cwd=tmp_path,
            env={**os.environ, "PAGE_TOKEN": TOKEN},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said
    if "-o masks.png" in command:
        drawn = cv2.imread(str(tmp_path / "masks.png"))
        assert drawn is not None
        assert drawn.shape == (48, 64, 3)
    else:
        assert msgspec.json.decode(said)


def test_the_settings_of_the_page_load() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    text = f"model: {{weights: yolo.pt}}\ncameras: [{{id: hall, url: hall.mp4}}]\n{block}"
    web = parse(text, "/srv/hall.yaml", env={"PAGE_TOKEN": TOKEN}).web
    assert web is not None
    assert web.hosts == ("masks.example",)
