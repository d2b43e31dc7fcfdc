"""``maskstream web`` as a process on a real broker: the page, from topics alone."""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from msgspec import structs
from playwright.async_api import BrowserContext, expect

from stream import codec
from stream.types import CameraStatus
from tests.support.build import picture
from tests.support.clock import START_US
from tests.support.encoded import png
from tests.support.roles import Deployment, Process, deployment
from tests.support.scene import alert
from tests.support.waiting import wait_until
from tests.support.web import BEARER, TOKEN, live_frame, looked, page, show


@pytest.fixture
def deployed(tmp_path: Path, kafka: str) -> Iterator[Deployment]:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    web = {"port": 0, "token": {"file": str(tmp_path / "token")}, "segment": True}
    with deployment(tmp_path, kafka, web=web) as deployed:
        yield deployed


def test_pictures_come_from_kafka_to_as_many_pages_as_there_are(deployed: Deployment) -> None:
    lost = CameraStatus("yard", "lost", START_US, "no answer")
    removed = CameraStatus("gate", "ended", START_US, "removed")
    deployed.write("camera-status", [codec.encode(each) for each in (lost, removed)])
    deployed.configure(web={"port": 0, "token": {"file": str(deployed.folder / "token")}})
    processes = deployed.start("web", "web")

    for seq, process in enumerate(processes):
        wait_until(partial(process.answers, "/readyz"), "it has read what was said before")
        told = asyncio.run(looked(page(process), partial(show, deployed, seq)))
        assert told["result"]["instances"][0]["label"] == "person"
        assert told["pixels"].shape == (48, 64, 3)
        assert told["figures"].keys() == {"yard"}
        figures = told["figures"]["yard"]
        assert (figures["state"], figures["reason"]) == ("lost", "no answer")
        assert process.answers("/livez")
        with pytest.raises(HTTPError, match="404"):
            ask(process, "/v1/segment", png(picture()))
    bare = codec.encode_frame(live_frame(0, "dock"))  # of which segment says nothing
    told = asyncio.run(looked(page(processes[0]), lambda: deployed.write("frames", [bare]), "dock"))
    assert (told["seq"], told["result"], told["pixels"].shape) == (0, None, (48, 64, 3))
    for process in processes:
        assert process.stop() == 0
        assert TOKEN not in process.text()


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_open_still_is_there_for_who_comes_after_a_restart(
    deployed: Deployment, browser: BrowserContext
) -> None:
    opened = alert("opened", "yard")
    others = [structs.replace(alert("resolved"), id=str(number)) for number in range(150)]
    deployed.configure(web={"port": 0})
    records = [codec.encode(each) for each in (opened, *others)]
    await asyncio.to_thread(deployed.write, "alerts", records)
    (process,) = await asyncio.to_thread(deployed.start, "web")
    tab = await browser.new_page()
    await tab.goto(page(process))
    first = tab.locator("#feed li").first
    await expect(first).to_have_attribute("data-state", "open")
    await expect(first).to_contain_text("yard › gate")
    await expect(tab).to_have_title("(1) maskstream")
    await expect(tab.locator("#no-alerts")).to_be_hidden()
    told = await asyncio.to_thread(ask, process, "/v1/alerts?state=open")
    assert [each["id"] for each in told["alerts"]] == [opened.id]
    await tab.close()
    assert await asyncio.to_thread(process.stop) == 0


def is_refused(process: Process) -> bool:
    try:
        ask(process, "/v1/cameras")
    except HTTPError as error:
        return error.code == 401
    return False


def ask(process: Process, path: str, body: bytes | None = None) -> Any:
    """What the API answers; raises `HTTPError` for anything but 200."""
    headers = {**BEARER, "Content-Type": "image/png"}
    with urlopen(Request(page(process) + path, body, headers)) as answer:
        return json.load(answer)


def test_the_api_tells_what_was_said_before_it_began_and_makes_masks(deployed: Deployment) -> None:
    lost = CameraStatus("yard", "lost", START_US, "no answer")
    deployed.write("camera-status", [codec.encode(lost)])
    over = [alert(state, "yard") for state in ("opened", "resolved")]
    deployed.write("alerts", [codec.encode(each) for each in over])
    process = deployed.start_bright("web")
    wait_until(lambda: process.answers("/readyz"), "it has read what was said before")
    (camera,) = ask(process, "/v1/cameras")["cameras"]
    assert (camera["camera"], camera["state"], camera["since_us"]) == ("yard", "lost", START_US)
    (told,) = ask(process, "/v1/alerts")["alerts"]
    assert (told["id"], told["state"]) == ("yard-1", "resolved")
    show(deployed, 3)
    wait_until(lambda: ask(process, "/v1/cameras")["cameras"][0]["epoch"] == 1, "it reads masks")
    (found,) = ask(process, "/v1/segment", png(picture((8, 8, 24, 40))))["instances"]
    assert found["box"] == [8, 8, 24, 40]
    with pytest.raises(HTTPError, match="401"), urlopen(page(process) + "/v1/cameras"):
        pass
    assert process.metric("requests_total", route="/v1/segment", status="200") == 1
    (deployed.folder / "token").write_text(TOKEN[::-1])
    wait_until(lambda: is_refused(process), "it takes the token of before no more")
    assert process.stop() == 0
