"""Stored pictures and clips of alerts on the live page."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from msgspec import structs
from playwright.async_api import Page as Tab
from playwright.async_api import Route, expect

from connectors.annotate import VideoWriter
from connectors.evidence import EvidenceStore
from connectors.web import Exhibits, Page, serve
from connectors.web.exhibits import PATH
from stream.evidence import clip_name, snapshot_name
from stream.evidence_spec import EvidenceSpec
from stream.rule_spec import ClipSpec
from stream.types import Alert
from tests.support.build import picture
from tests.support.clock import START_US
from tests.support.scene import JPEG, alert

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

TOLD = structs.replace(alert(), notify=("ops",))
UNTOLD = structs.replace(alert(camera="yard"), id="yard-1")


def names(of: Alert = TOLD) -> tuple[str, str]:
    snapshot, clip = snapshot_name(of), clip_name(of)
    assert snapshot is not None
    assert clip is not None
    return snapshot, clip


@pytest_asyncio.fixture(loop_scope="session")
async def store(tmp_path: Path) -> AsyncIterator[EvidenceStore]:
    """A store with the snapshot and the clip of an alert."""
    snapshot, clip = names()
    film = tmp_path / "clip.mp4"
    async with VideoWriter(film, faststart=True) as writer:
        for at in range(10):
            await writer.write(picture((at, 8, at + 24, 40)), at * 100_000)
    async with EvidenceStore(EvidenceSpec(store=str(tmp_path / "kept")), {}) as store:
        await store.put(snapshot, JPEG.encode(picture((8, 8, 24, 40))).jpeg)
        await store.put(clip, film.read_bytes())
        yield store


@pytest.fixture
def page(store: EvidenceStore) -> Page:
    page = Page(
        cameras=["hall"],
        zones=lambda: [],
        now_us=lambda: START_US,
        exhibits=Exhibits(store, lambda rule: ClipSpec() if rule == "keep-out" else None),
    )
    page.alert(UNTOLD)
    page.alert(TOLD)
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def url(page: Page) -> AsyncIterator[str]:
    async with serve(page, port=0) as address:
        yield address


async def test_the_picture_and_the_clip_of_an_alert_are_shown(tab: Tab, url: str) -> None:
    await tab.goto(url)
    entry = tab.locator("#feed li").first
    await entry.get_by_role("button", name="Picture").click()
    shown = tab.get_by_role("dialog", name="keep-out").locator("img")
    width = "async (image) => { await image.decode(); return image.naturalWidth; }"
    assert await shown.evaluate(width) == 64
    await tab.keyboard.press("Escape")
    await entry.get_by_role("button", name="Clip").click()
    playing = tab.get_by_role("dialog", name="keep-out").locator("video")
    await expect(playing).to_have_js_property("readyState", 4)
    assert await playing.evaluate("(video) => video.duration") == pytest.approx(1, abs=0.2)
    await tab.get_by_role("button", name="Close").click()
    await expect(playing).to_have_count(0)


async def test_a_picture_that_fails_after_it_was_closed_is_in_nothings_way(
    tab: Tab, url: str
) -> None:
    failed = asyncio.Event()

    async def fail_late(route: Route) -> None:
        await failed.wait()
        await route.fulfill(content_type="image/jpeg", body="no picture")

    await tab.route("**/*.jpg", fail_late)
    await tab.goto(url)
    entry = tab.locator("#feed li").first
    await entry.get_by_role("button", name="Picture").click()
    await tab.locator("#exhibit-frame img").evaluate(
        "(image) => { window.failed = new Promise((done) => { image.onerror = () => done(1); }); }"
    )
    await tab.keyboard.press("Escape")
    await entry.get_by_role("button", name="Clip").click()
    failed.set()
    assert await tab.evaluate("window.failed") == 1
    await expect(tab.locator("#exhibit-frame video")).to_have_count(1)


async def test_an_alert_that_no_endpoint_is_told_of_has_no_pictures(tab: Tab, url: str) -> None:
    await tab.goto(url)
    await expect(tab.locator("#feed li")).to_have_count(2)
    await expect(tab.get_by_role("button", name="Picture")).to_have_count(1)


async def test_a_part_of_a_clip_can_be_asked_for(store: EvidenceStore, url: str) -> None:
    _, clip = names()
    size = await store.size(clip)
    assert size is not None
    async with ClientSession() as client:
        async with client.get(url + PATH + clip, headers={"Range": "bytes=4-7"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"ftyp")
            assert answer.headers["Content-Range"] == f"bytes 4-7/{size}"
        async with client.get(url + PATH + clip) as answer:
            assert (answer.status, answer.content_type) == (200, "video/mp4")
            assert len(await answer.read()) == size
        for wrong in (f"bytes={size}-", "bytes=x", "bytes=0-1,4-5"):
            async with client.get(url + PATH + clip, headers={"Range": wrong}) as answer:
                assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
                assert wrong in (await answer.json(content_type=None))["detail"]


async def test_what_is_not_there_yet_and_a_store_that_is_away_are_said(
    store: EvidenceStore, url: str, tmp_path: Path
) -> None:
    snapshot, _ = names(structs.replace(TOLD, id="later"))
    async with ClientSession() as client:
        async with client.get(url + PATH + snapshot) as answer:
            told = await answer.json(content_type=None)
            assert (answer.status, told["detail"]) == (404, "not stored yet, or deleted")
        (tmp_path / "kept").rename(tmp_path / "gone")
        (tmp_path / "kept").write_text("no folder")
        async with client.get(url + PATH + snapshot) as answer:
            told = await answer.json(content_type=None)
            assert answer.status == 502
            assert told["detail"].startswith("evidence.store ")


@pytest.mark.parametrize(
    "name",
    [
        "hall/2023-11-14/none/1-0.jpg",  # of no alert
        "hall/2023-11-14/hall-1/../../../clip.mp4",
        "hall/2023-11-14/hall-1/clip.mp4.part",
        "%2e%2e/clip.mp4",
    ],
)
async def test_nothing_else_of_the_store_can_be_had(url: str, name: str) -> None:
    async with ClientSession() as client, client.get(url + PATH + name) as answer:
        assert answer.status == 404
