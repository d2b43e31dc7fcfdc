"""All cameras at once on the live page, in a real browser."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect
from playwright.async_api import Page as Tab

from connectors.web import Page, serve
from stream.types import CameraHealth, CameraStatus, Frame, Joined
from tests.support.browser import pixels_of, seen
from tests.support.build import gap, result
from tests.support.clock import START_US, VirtualClock
from tests.support.scene import GATE, GREY, alert, away, encoded, joined, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

CAMERAS = ["hall", "yard", "gate", "dock"]
WIDE = (90, 160)
"""A frame that fills its tile."""


@pytest.fixture
def page() -> Page:
    page = Page(cameras=CAMERAS, zones=lambda: [GATE], now_us=lambda: START_US)
    for number, camera in enumerate(CAMERAS):
        page.status(CameraStatus(camera, "live", START_US))
        page.offer(joined(number, camera, ring(WIDE)))
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def url(page: Page) -> AsyncIterator[str]:
    async with serve(page, port=0) as address:
        yield address


def arrived(seq: int, clock: VirtualClock) -> Frame:
    """A frame that came just now."""
    return replace(joined(seq).frame, arrived_us=clock.now_us())


def tile(tab: Tab, camera: str) -> Locator:
    return tab.locator(f'[data-camera="{camera}"] .tile')


async def test_every_camera_is_on_the_wall_with_its_masks(tab: Tab, url: str) -> None:
    await tab.goto(url)
    inside, far = ring(WIDE).bitmap(), away(ring(WIDE), 3)
    far[70:] = False  # the camera's name is written there
    for number, camera in enumerate(CAMERAS):
        await expect(tile(tab, camera)).to_have_attribute("data-seq", str(number))
        pixels = await pixels_of(tab, WIDE, f'[data-camera="{camera}"] canvas')
        tinted = np.abs(pixels - GREY).max(axis=2) > 12
        assert tinted[inside & far].all()
        assert not tinted[~inside & far].any()
        assert (inside & far).sum() > 200


async def test_a_tile_goes_on_with_every_picture_that_was_drawn(
    tab: Tab, page: Page, url: str
) -> None:
    await tab.goto(url)
    for seq in range(10, 15):
        for camera in CAMERAS:
            page.offer(joined(seq, camera, ring(WIDE)))
        for camera in CAMERAS:
            await expect(tile(tab, camera)).to_have_attribute("data-seq", str(seq))


async def test_a_camera_that_is_lost_is_seen_to_be(tab: Tab, page: Page, url: str) -> None:
    page.status(CameraStatus("yard", "lost", START_US, "connection refused"))
    page.health(CameraHealth("gate", 1, 0, START_US, "black", True, START_US, "for 3 s"))
    await tab.goto(url)
    lost = tile(tab, "yard")
    await expect(lost).to_have_attribute("data-state", "lost")
    await expect(lost).to_contain_text("The camera is lost: connection refused")
    await expect(lost).to_have_class("tile away")
    await expect(tile(tab, "gate")).to_have_attribute("data-state", "ailing")
    await expect(tile(tab, "gate")).to_contain_text("black: for 3 s")
    await expect(tile(tab, "hall")).to_have_attribute("data-state", "live")
    await expect(tab.locator("#cameras-live")).to_have_text("3")
    page.status(CameraStatus("yard", "live", START_US))
    page.offer(joined(20, "yard", ring(WIDE)))
    await expect(lost).to_have_attribute("data-state", "live")
    await expect(lost).to_have_class("tile")


async def test_a_camera_whose_frames_are_skipped_is_seen_to_be(tab: Tab) -> None:
    clock = VirtualClock()
    page = Page(cameras=CAMERAS, zones=list, now_us=clock.now_us)
    for number, camera in enumerate(CAMERAS):
        page.status(CameraStatus(camera, "live", START_US))
        page.offer(joined(number, camera, ring(WIDE)))
    for seq in range(0, 33, 3):
        page.count(result(seq, "yard"))
        page.count(result(seq + 1, "yard"))
        page.count(gap(seq + 2, seq + 2, camera="yard"))
        page.count(result(seq, "hall"))
        clock.advance(1)
    clock.advance(-1)
    skipping = tile(tab, "yard")
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await expect(skipping).to_have_attribute("data-state", "ailing")
        await expect(skipping.locator(".trouble")).to_have_text("skips 33 %")
        await expect(skipping).to_have_accessible_name(re.compile("skips 33 %"))
        await expect(tile(tab, "hall")).to_have_attribute("data-state", "live")
        await skipping.click()
        await expect(tab.locator("#camera-state")).to_have_text("live · skips 33 %")
        await tab.keyboard.press("Escape")
        clock.advance(11)
        await expect(skipping).to_have_attribute("data-state", "live")
        await expect(skipping.locator(".trouble")).to_be_hidden()


async def test_a_tile_says_what_its_pictures_are_shown_without(tab: Tab) -> None:
    clock = VirtualClock()
    page = Page(cameras=["hall", "yard"], zones=list, now_us=clock.now_us)
    page.status(CameraStatus("hall", "live", START_US))
    page.offer(replace(joined(0), result=None, tracks=None))
    clock.advance(12)
    page.offer(Joined(arrived(1, clock), None, None))
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await expect(tile(tab, "hall")).to_have_attribute("data-seq", "1")
        await expect(tile(tab, "hall")).to_contain_text("no masks for 12 s")
        await expect(tile(tab, "hall")).to_have_attribute("data-state", "ailing")
        page.offer(replace(joined(2), frame=arrived(2, clock), tracks=None))
        clock.advance(3)
        await expect(tile(tab, "hall")).to_contain_text("no identities for 3 s")
        page.offer(joined(3))
        await expect(tile(tab, "hall")).to_contain_text("the picture is 15 s old")
        page.offer(replace(joined(4), frame=arrived(4, clock)))
        await expect(tile(tab, "hall")).to_have_attribute("data-state", "live")
        await expect(tile(tab, "hall")).not_to_contain_text(" s old")
        await tab.close()


async def test_a_tile_becomes_large_by_click_or_enter_and_small_by_escape(
    tab: Tab, url: str
) -> None:
    await tab.goto(url)
    await tile(tab, "yard").click()
    await seen(tab, 1, "yard")
    await expect(tab.locator("#wall")).to_be_hidden()
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#view")).to_be_hidden()
    await expect(tile(tab, "yard")).to_be_focused()
    await tab.keyboard.press("ArrowLeft")
    await expect(tile(tab, "hall")).to_be_focused()
    await tab.keyboard.press("Enter")
    await seen(tab, 0, "hall")
    await tab.keyboard.press("]")
    await seen(tab, 1, "yard")
    await tab.go_back()
    await seen(tab, 0, "hall")
    await tab.get_by_role("button", name="All cameras").click()
    await expect(tile(tab, "dock")).to_have_attribute("data-seq", "3")


async def test_a_camera_of_which_nothing_is_known_is_waited_for(tab: Tab) -> None:
    page = Page(cameras=["hall", "yard"], zones=list, now_us=lambda: START_US)
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await expect(tile(tab, "hall")).to_have_accessible_name("Camera hall, waiting")
        await expect(tile(tab, "hall")).to_have_attribute("data-state", "waiting")
        await expect(tile(tab, "hall")).to_contain_text("Waiting for the first picture")
        await expect(tab.locator("#cameras-all")).to_have_text("2")


async def test_a_camera_that_is_removed_leaves_the_wall_and_the_large_picture(
    tab: Tab, page: Page, url: str
) -> None:
    await tab.goto(url)
    await expect(tile(tab, "dock")).to_have_attribute("data-seq", "3")
    page.keep([each for each in CAMERAS if each != "dock"])
    await expect(tile(tab, "dock")).to_have_count(0)
    await expect(tab.locator("#cameras-all")).to_have_text(str(len(CAMERAS) - 1))
    await tile(tab, "yard").click()
    await seen(tab, 1, "yard")
    page.keep(["hall", "gate"])
    await expect(tab.locator("#view")).to_be_hidden()
    await expect(tab.locator("#tiles li")).to_have_count(2)
    page.keep(["hall", "gate", "dock"])
    page.offer(joined(9, "dock", ring(WIDE)))
    await expect(tile(tab, "dock")).to_have_attribute("data-seq", "9")


async def test_an_open_alert_is_seen_on_the_tile_of_its_camera(
    tab: Tab, page: Page, url: str
) -> None:
    await tab.goto(url)
    await page.alert(alert(camera="gate"))
    await expect(tile(tab, "gate")).to_have_class("tile alarmed")
    await expect(tile(tab, "gate")).to_have_accessible_name(
        "Camera gate, live, 1 person, open alert"
    )
    await page.alert(alert("resolved", "gate"))
    await expect(tile(tab, "gate")).to_have_class("tile")


@pytest.mark.parametrize("width", [390, 1440])
async def test_the_wall_fits_on_a_telephone_and_on_a_desk(tab: Tab, url: str, width: int) -> None:
    await tab.set_viewport_size({"width": width, "height": 844})
    await tab.goto(url)
    await expect(tile(tab, "dock")).to_have_attribute("data-seq", "3")
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [await tile(tab, camera).bounding_box() for camera in CAMERAS]
    assert all(box is not None and box["y"] + box["height"] <= 844 for box in boxes)


async def test_everything_that_can_be_pressed_has_a_name_and_the_keys_are_told(
    tab: Tab, url: str
) -> None:
    await tab.goto(f"{url}#hall")
    await seen(tab, 0, "hall")
    await tab.keyboard.press("d")
    for each in await tab.locator("button, input, select, textarea").all():
        if await each.is_visible():
            await expect(each).to_have_accessible_name(re.compile(r"\w|\?"))
    await tab.get_by_role("button", name="Done").click()
    await tab.keyboard.press("?")
    await expect(tab.get_by_role("dialog", name="Keys")).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(tab.get_by_role("dialog", name="Keys")).to_be_hidden()


async def test_keys_lead_from_the_wall_to_a_camera_and_pause_it(
    tab: Tab, page: Page, url: str
) -> None:
    page.offer(encoded(9, "gate", ring(WIDE)))
    await tab.goto(url)
    await expect(tile(tab, "hall")).to_have_attribute("data-seq", "0")
    await tab.keyboard.press("ArrowRight")
    await expect(tile(tab, "dock")).to_be_focused()
    await tab.keyboard.press("ArrowRight")
    await expect(tile(tab, "gate")).to_be_focused()
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#camera-name")).to_have_text("gate")
    await expect(tab.locator("#identity")).to_have_text("gate/1/9")
    await expect(tab.locator("#pause")).to_be_visible()
    await tab.keyboard.press("Space")
    await expect(tab.locator("#pause")).to_have_attribute("aria-pressed", "true")
    await expect(tab.locator("#camera-name")).to_have_text("gate")


async def test_cameras_stand_in_the_order_of_their_names_and_digits_count_along_it(
    tab: Tab, page: Page, url: str
) -> None:
    names = tab.locator("#tiles .name")
    await tab.goto(url)
    await expect(names).to_have_text(sorted(CAMERAS))
    page.keep([*CAMERAS, "east"])
    await expect(names).to_have_text(sorted([*CAMERAS, "east"]))
    await tab.keyboard.press("2")
    await expect(tab.locator("#camera-name")).to_have_text("east")


async def test_a_camera_that_there_is_not_is_said_not_to_be(tab: Tab, page: Page, url: str) -> None:
    said = tab.get_by_text("There is no camera")
    await tab.goto(f"{url}#nosuch")
    await expect(said).to_have_text("There is no camera nosuch.")
    await expect(tile(tab, "dock")).to_be_visible()
    await tile(tab, "dock").click()
    await expect(tab.locator("#camera-name")).to_have_text("dock")
    await expect(said).to_be_hidden()
    page.keep([each for each in CAMERAS if each != "dock"])
    await expect(said).to_have_text("There is no camera dock.")
