"""Stepping back through the last minutes on the live page, in a real browser."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from msgspec import structs
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from connectors.web import Page, serve
from tests.support.browser import pixels_of, seen
from tests.support.clock import VirtualClock
from tests.support.scene import GATE, SIZE, alert, away, brightness, encoded, ring, shown_in_a_row

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

SHOWN = 30


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def page(clock: VirtualClock) -> Page:
    """Six seconds of a camera; an alert opened on the tenth frame."""
    page = Page(cameras=["hall"], zones=lambda: [], now_us=clock.now_us)
    shown_in_a_row(page, clock, SHOWN)
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def url(page: Page) -> AsyncIterator[str]:
    async with serve(page, port=0) as address:
        yield address


async def is_of(tab: Tab, seq: int) -> bool:
    """Whether the picture on the canvas is that of a frame."""
    await tab.keyboard.press("m")
    outside = ~ring().bitmap() & away(ring(), 2)
    pixels = await pixels_of(tab, SIZE)
    await tab.keyboard.press("m")
    return bool(np.abs(pixels[outside] - brightness(seq)).max() < 3)


async def test_stepping_back_shows_the_frames_before_with_their_masks(
    tab: Tab, page: Page, url: str
) -> None:
    await tab.goto(url)
    await seen(tab, SHOWN - 1)
    await tab.keyboard.press("i")
    await expect(tab.locator("#timeline")).to_be_visible()
    await tab.keyboard.press("ArrowLeft")
    await seen(tab, SHOWN - 2)
    await expect(tab.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    for _ in range(3):
        await tab.keyboard.press("ArrowLeft")
    await seen(tab, SHOWN - 5)
    assert await is_of(tab, SHOWN - 5)
    inside = ring().bitmap() & away(ring(), 2)
    tinted = np.abs(await pixels_of(tab, SIZE) - brightness(SHOWN - 5)).max(axis=2) > 12
    assert tinted[inside].all()
    await tab.keyboard.press("ArrowRight")
    await seen(tab, SHOWN - 4)


async def test_a_pause_holds_the_picture_until_it_is_live_again(
    tab: Tab, page: Page, url: str
) -> None:
    await tab.goto(url)
    await seen(tab, SHOWN - 1)
    await tab.keyboard.press("Space")
    await expect(tab.locator("#ago")).to_contain_text("ago")
    page.offer(encoded(SHOWN, "hall", ring()))
    await tab.keyboard.press("ArrowLeft")
    await seen(tab, SHOWN - 2)
    await tab.get_by_role("button", name="Pause").click()
    await seen(tab, SHOWN)
    await expect(tab.locator("#ago")).to_have_text("Live")


async def test_one_drags_along_as_far_back_as_is_kept(tab: Tab, url: str) -> None:
    await tab.goto(url)
    await seen(tab, SHOWN - 1)
    track = tab.get_by_role("slider", name="Time")
    box = await track.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await tab.mouse.move(box["x"] + box["width"] - 8, middle)
    await tab.mouse.down()
    await tab.mouse.move(box["x"] + box["width"] / 2, middle, steps=8)
    await seen(tab, 0)
    await tab.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=8)
    await tab.mouse.up()
    await expect(tab.locator("#identity")).not_to_have_text("hall/1/0")
    await tab.keyboard.press("Home")
    await seen(tab, 0)
    await tab.keyboard.press("End")
    await seen(tab, SHOWN - 1)
    await expect(tab.locator("#ago")).to_have_text("Live")


async def test_an_alert_is_marked_and_leads_to_the_frame_it_opened_on(
    tab: Tab, clock: VirtualClock
) -> None:
    page = Page(cameras=["hall"], zones=lambda: [], now_us=clock.now_us)
    shown_in_a_row(page, clock, 1)
    await page.alert(alert())  # its evidence is the frame 0
    for seq in range(1, 20):
        page.offer(encoded(seq, "hall", ring()))
        clock.advance(0.2)
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await seen(tab, 19)
        mark = tab.locator("#marks i")
        await expect(mark).to_have_count(1)
        await tab.get_by_role("button", name="keep-out").click()
        await seen(tab, 0)
        await tab.keyboard.press("l")
        await seen(tab, 19)
        await mark.click()
        await seen(tab, 1)
        await tab.close()


async def test_a_zone_is_red_in_the_pictures_in_which_its_alert_was_open(
    tab: Tab, clock: VirtualClock
) -> None:
    page = Page(cameras=["hall"], zones=lambda: [GATE], now_us=clock.now_us)
    for seq in range(9):
        page.offer(encoded(seq, "hall", ring()))
        if seq == 3:
            await page.alert(alert())
        if seq == 6:
            await page.alert(alert("resolved"))
        clock.advance(0.2)
    zone = tab.locator("#stage > svg polygon")
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await seen(tab, 8)
        await expect(tab.locator("#timeline")).to_be_visible()
        for seq in (7, 6, 5, 4, 3, 2):
            await tab.keyboard.press("ArrowLeft")
            await seen(tab, seq)
            await expect(zone).to_have_class("alarmed" if 3 <= seq < 6 else "")
        await tab.close()


async def test_an_alert_whose_moment_is_not_kept_any_more_says_so(
    tab: Tab, page: Page, url: str
) -> None:
    told = alert()
    assert told.evidence is not None
    await page.alert(structs.replace(told, evidence=structs.replace(told.evidence, epoch=9)))
    await tab.goto(url)
    await seen(tab, SHOWN - 1)
    await tab.get_by_role("button", name="keep-out").click()
    await expect(tab.locator("#ago")).to_have_text("not kept any more")
    await expect(tab.locator("#ago")).to_have_text("Live")
    await seen(tab, SHOWN - 1)
