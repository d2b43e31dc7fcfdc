"""``maskstream run`` with a section ``web``: the API beside the cameras, with their own model."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import av
import pytest

from stream.errors import EXIT_OK
from tests.support.encoded import jpeg
from tests.support.roles import DATA, MODEL
from tests.support.waiting import wait_until

STOP_S = 60.0


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Where a run serves, which ends as it should when the test has."""
    config = tmp_path / "config.yaml"
    camera = {"id": "yard", "url": str(DATA / "yard.mp4"), "loop": True, "fps": 2}
    config.write_text(json.dumps({"model": MODEL, "cameras": [camera], "web": {"port": 0}}))
    words = ["-c", "from stream.cli import main; main()", "run", str(config)]
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-u", *words], stdout=out, stderr=out)
    try:
        wait_until(lambda: "live page: " in log.read_text(), "it serves")
        (line,) = [each for each in log.read_text().splitlines() if "live page: " in each]
        yield line.partition("live page: ")[2].strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == EXIT_OK, log.read_text()
    finally:
        process.kill()
        process.wait()


def ask(url: str, body: bytes | None = None) -> Any:
    with urlopen(Request(url, body, {"Content-Type": "image/jpeg"})) as answer:
        return json.load(answer)


def shown() -> bytes:
    """A picture of the yard with somebody in it."""
    with av.open(str(DATA / "yard.mp4")) as video:
        frames = video.decode(video=0)
        return jpeg([next(frames) for _ in range(80)][-1].to_ndarray(format="bgr24"))


def test_pictures_are_answered_by_the_model_of_the_cameras_while_these_go_on(url: str) -> None:
    found = ask(f"{url}/v1/segment", shown())
    assert {each["label"] for each in found["instances"]} & {"person", "forklift"}

    def is_live() -> bool:
        (camera,) = ask(f"{url}/v1/cameras")["cameras"]
        return camera["state"] == "live" and camera["rate"] is not None

    wait_until(is_live, "the camera gives results")
    assert ask(f"{url}/v1/openapi.json")["paths"].keys() == {
        "/v1/segment", "/v1/cameras", "/v1/alerts",
    }  # fmt: skip


def test_what_a_run_is_able_to_do_is_told_before_it_is_busy(url: str) -> None:
    with urlopen(f"{url}/metrics") as answer:
        told = answer.read().decode()
    (line,) = [each for each in told.splitlines() if each.startswith("maskstream_capacity_frames")]
    assert float(line.split()[1]) > 0
