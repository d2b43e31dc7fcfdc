"""Stored pictures and clips of alerts on the live page."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientError, ClientSession
from msgspec import structs
from playwright.async_api import Page as Tab
from playwright.async_api import Route, expect

from connectors.annotate import VideoWriter
from connectors.evidence import EvidenceStore
from connectors.web import Exhibits, Page, serve
from connectors.web.exhibits import PATH
from connectors.web.streamed import PIECE_BYTES
from stream.evidence import clip_name, snapshot_name
from stream.evidence_spec import EvidenceSpec
from stream.rule_spec import ClipSpec
from stream.types import Alert
from tests.support.axe import faults
from tests.support.build import picture
from tests.support.clock import START_US
from tests.support.scene import JPEG, alert

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

TOLD = structs.replace(alert(), notify=("ops",))
UNTOLD = structs.replace(alert(camera="yard"), id="yard-1")

SOUGHT = """async (video) => {
  video.pause();
  const sought = new Promise((done) => video.addEventListener("seeked", done, { once: true }));
  video.currentTime = 0.5;
  await sought;
  return video.seekable.end(0) === video.duration ? video.currentTime : -1;
}"""
"""Where a video is once somebody has gone to its middle."""


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


@pytest_asyncio.fixture(loop_scope="session")
async def page(store: EvidenceStore) -> Page:
    page = Page(
        cameras=["hall"],
        zones=lambda: [],
        now_us=lambda: START_US,
        exhibits=Exhibits(store, lambda rule: ClipSpec() if rule == "keep-out" else None),
    )
    await page.alert(UNTOLD)
    await page.alert(TOLD)
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
    assert await faults(tab) == []
    await tab.keyboard.press("Escape")
    await entry.get_by_role("button", name="Clip").click()
    playing = tab.get_by_role("dialog", name="keep-out").locator("video")
    await expect(playing).to_have_js_property("readyState", 4)
    await expect(playing).to_have_accessible_name(re.compile("opening"))
    assert await faults(tab) == []
    assert await playing.evaluate("(video) => video.duration") == pytest.approx(1, abs=0.2)
    assert await playing.evaluate(SOUGHT) == pytest.approx(0.5, abs=0.01)
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


FILM = bytes(at % 251 for at in range(2 * PIECE_BYTES + 77))
"""Of several pieces, no two of which are alike."""


@pytest_asyncio.fixture(loop_scope="session")
async def film(store: EvidenceStore, url: str) -> str:
    """The address of a clip that is sent in several pieces; it is no video."""
    _, clip = names(structs.replace(TOLD, id="long"))
    await store.put(clip, FILM)
    return url + PATH + clip


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-1", 0, 1),  # how Safari finds out whether it may ask for parts
        ("bytes=0-", 0, len(FILM) - 1),
        ("Bytes=4-7", 4, 7),
        (f"bytes={PIECE_BYTES - 1}-{2 * PIECE_BYTES}", PIECE_BYTES - 1, 2 * PIECE_BYTES),
        (f"bytes={len(FILM) - 1}-", len(FILM) - 1, len(FILM) - 1),
        ("bytes=-5", len(FILM) - 5, len(FILM) - 1),
        (f"bytes=9-{len(FILM) + 9}", 9, len(FILM) - 1),
    ],
)
async def test_a_part_of_a_clip_can_be_asked_for(
    film: str, asked: str, first: int, last: int
) -> None:
    async with ClientSession() as client, client.get(film, headers={"Range": asked}) as answer:
        assert (answer.status, answer.content_type) == (206, "video/mp4")
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(FILM)}"
        assert answer.content_length == last + 1 - first
        assert await answer.read() == FILM[first : last + 1]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Range": "frames=4-7"}, {"Range": "bytes=4-7", "If-Range": '"another"'}],
    ids=["no part", "no bytes", "a part of another"],
)
async def test_who_asks_for_no_part_of_these_bytes_gets_all_of_them(
    film: str, headers: dict[str, str]
) -> None:
    async with ClientSession() as client, client.get(film, headers=headers) as answer:
        assert (answer.status, answer.headers["Accept-Ranges"]) == (200, "bytes")
        assert answer.content_length == len(FILM)
        assert await answer.read() == FILM


async def test_the_head_of_a_clip_says_how_long_it_is_and_that_there_are_parts(film: str) -> None:
    async with ClientSession() as client:
        for headers in ({}, {"Range": "bytes=4-7"}):
            async with client.head(film, headers=headers) as answer:
                assert (answer.status, answer.content_type) == (200, "video/mp4")
                assert answer.headers["Accept-Ranges"] == "bytes"
                assert answer.headers["Content-Length"] == str(len(FILM))
                assert await answer.read() == b""


@pytest.mark.parametrize("wrong", [f"bytes={len(FILM)}-", "bytes=x", "bytes=0-1,4-5", "bytes=7-4"])
async def test_a_part_that_is_not_there_is_refused(film: str, wrong: str) -> None:
    async with ClientSession() as client, client.get(film, headers={"Range": wrong}) as answer:
        assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{len(FILM)}")
        assert wrong in (await answer.json(content_type=None))["detail"]


async def test_a_clip_that_can_be_read_only_in_part_is_cut_off_and_told_of(
    film: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "kept" / film.partition(PATH)[2]
    os.truncate(kept, 128 * PIECE_BYTES)  # more than fits between the server and who reads
    async with ClientSession() as client, client.get(film) as answer:
        os.truncate(kept, PIECE_BYTES)
        with pytest.raises(ClientError):
            await answer.read()
    assert "only a part was sent: evidence.store " in caplog.text


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
