"""The live page in a real browser: Debian's chromium, driven by playwright."""

import re
from contextlib import AsyncExitStack

import numpy as np
import pytest
from msgspec import structs
from playwright.async_api import BrowserContext, expect
from playwright.async_api import Page as Tab
from pydantic import SecretStr
from yarl import URL

from connectors.clock import SteadyClock
from connectors.memory import MemoryTransport
from connectors.web import Access, Page, serve, show
from connectors.web.page import Recalled
from stream.codec import encode, encode_frame
from stream.masks import Mask
from stream.observe import TOPICS
from stream.types import CameraHealth, CameraStatus
from tests.support.browser import pixels_of, seen, stranger
from tests.support.build import gap
from tests.support.clock import START_US, VirtualClock
from tests.support.scene import GATE, GREY, SIZE, alert, away, joined, ring

OLD, NEW = "a-token-that-is-long-enough", "the-token-of-the-next-half-year"

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all


async def test_the_mask_is_tinted_and_nothing_else_is(tab: Tab, page: Page, url: str) -> None:
    page.offer(joined(0, "hall", ring()))
    await tab.goto(url)
    await seen(tab, 0)
    await tab.keyboard.press("i")
    tinted = np.abs(await pixels_of(tab, SIZE) - GREY).max(axis=2) > 12
    inside, far = ring().bitmap(), away(ring(), 2)
    assert tinted[inside & far].all()
    assert not tinted[~inside & far].any()
    assert (inside & far).sum() > 500


async def test_without_masks_the_picture_is_as_it_came(tab: Tab, page: Page, url: str) -> None:
    page.offer(joined(0, "hall", ring()))
    await tab.goto(url)
    await seen(tab, 0)
    await tab.keyboard.press("m")
    await tab.keyboard.press("Shift+I")  # as with Caps Lock
    await expect(tab.get_by_role("button", name="Masks")).to_have_attribute("aria-pressed", "false")
    assert np.abs(await pixels_of(tab, SIZE) - GREY).max() < 8
    await tab.get_by_role("button", name="Zones").click()
    await expect(tab.locator("#stage > svg")).to_be_hidden()


def random_masks(count: int) -> list[Mask]:
    """Speckles and blobs with holes, in sizes that are odd, even and thin."""
    random = np.random.default_rng(7)
    masks = [Mask.whole((5, 9)), Mask.from_edges((6, 7), [])]
    while len(masks) < count:
        height, width = (int(each) for each in random.integers(1, 70, 2))
        grain = int(random.integers(1, 9))
        coarse = random.random((height // grain + 1, width // grain + 1)) < random.random()
        bitmap = np.kron(coarse, np.ones((grain, grain), bool))[:height, :width]
        masks.append(Mask.from_bitmap((height, width), np.ascontiguousarray(bitmap), 0, 0))
    return masks


async def test_the_browser_reads_masks_to_the_pixel(tab: Tab, url: str) -> None:
    masks = random_masks(60)
    await tab.goto(url)
    found = await tab.evaluate(
        """async (masks) => {
          const {decode, crop, area} = await import('/static/rle.js');
          return masks.map((mask) => {
            const part = crop(mask);
            const box = part && [part.x, part.y, part.x + part.width, part.y + part.height];
            return [[...decode(mask).data], area(mask), box, part && [...part.data]];
          });
        }""",
        [mask.to_coco() for mask in masks],
    )
    for mask, (pixels, area, box, part) in zip(masks, found, strict=True):
        assert np.array_equal(np.array(pixels, bool).reshape(mask.size), mask.bitmap())
        assert area == mask.area
        assert (box and tuple(box)) == (mask.box if mask.area else None)
        assert np.array_equal(np.array(part or [], bool), mask.crop().ravel())


async def test_the_outline_encloses_the_masks_pixels_and_no_others(tab: Tab, url: str) -> None:
    masks = random_masks(30)
    await tab.goto(url)
    found = await tab.evaluate(
        """async (masks) => {
          const {crop} = await import('/static/rle.js');
          const {contours} = await import('/static/outline.js');
          const context = document.createElement('canvas').getContext('2d');
          return masks.map((mask) => {
            const path = new Path2D();
            const part = crop(mask);
            for (const [x, y, ...rest] of part ? contours(part) : []) {
              path.moveTo(x, y);
              for (let at = 0; at < rest.length; at += 2) path.lineTo(rest[at], rest[at + 1]);
              path.closePath();
            }
            const [height, width] = mask.size;
            return Array.from({length: height * width}, (_, at) => context.isPointInPath(
              path, (at % width) + 0.5, Math.floor(at / width) + 0.5, 'evenodd'));
          });
        }""",
        [mask.to_coco() for mask in masks],
    )
    for mask, inside in zip(masks, found, strict=True):
        assert np.array_equal(np.array(inside).reshape(mask.size), mask.bitmap())


@pytest.mark.parametrize("counts", ["", "0", "P", "0o", "ÿ", "99", "~~~~~~~~~", "k0oooooooo0"])
async def test_the_browser_refuses_what_is_no_mask(tab: Tab, url: str, counts: str) -> None:
    await tab.goto(url)
    error = await tab.evaluate(
        """async (counts) => {
          const {decode} = await import('/static/rle.js');
          try { decode({size: [3, 4], counts}); } catch (error) { return error.name; }
          return 'none';
        }""",
        counts,
    )
    assert error == "RangeError"


async def test_an_alert_shows_in_the_feed_and_in_its_zone_until_it_ends(
    tab: Tab, page: Page, url: str
) -> None:
    page.offer(joined(0, "hall", ring()))
    await tab.goto(url)
    await seen(tab, 0)
    zone, entry = tab.locator("#stage polygon"), tab.locator("#feed li")
    await expect(tab.get_by_text("Nothing to report")).to_be_visible()
    await page.alert(alert())
    await expect(entry).to_have_attribute("data-state", "open")
    for words in ("keep-out", "critical", "hall › gate", "person #7", "open", "ago"):
        await expect(entry).to_contain_text(words)
    await expect(entry.locator("img")).to_have_attribute("src", re.compile("^data:image/jpeg"))
    await expect(zone).to_have_class("alarmed")
    await expect(tab).to_have_title("(1) maskstream")
    await page.alert(alert("resolved", lasted_us=8_000_000))
    await expect(entry).to_contain_text("resolved after 8 s")
    await expect(zone).not_to_have_class("alarmed")
    await expect(tab).to_have_title("maskstream")


async def test_nothing_to_report_is_said_only_where_all_is_known(tab: Tab, page: Page) -> None:
    note = tab.locator("#no-alerts")
    page.recall(Recalled(500, 2_000))
    await page.alert(structs.replace(alert(), opened_us=START_US - 100_000_000_000))
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await expect(note).to_have_text(
            "Reading the alerts of before (25 %). Those that are open appear here then."
        )
        await expect(tab.locator("#feed li")).to_have_count(0)
        page.recall(None)
        await expect(tab.locator("#feed li")).to_contain_text("1 d 3 h ago")
        await expect(note).to_be_hidden()
        await page.alert(alert("resolved"))
        await expect(tab.locator("#feed li")).to_have_attribute("data-state", "resolved")
        await expect(tab).to_have_title("maskstream")
    await expect(note).to_have_text("Not connected: what is open now is not known.")
    await expect(tab).to_have_title("(?) maskstream")


async def test_the_figures_are_shown(tab: Tab) -> None:
    clock = VirtualClock()
    page = Page(cameras=["hall"], zones=lambda: [], now_us=clock.now_us)
    for seq in range(30):
        offered = joined(seq, "hall", ring())
        assert offered.result is not None
        page.offer(offered)
        page.count(offered.result)
        clock.advance(0.1)
    page.count(gap(30, 33))
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await expect(tab.locator("#rate")).to_have_text("10.0")
        await expect(tab.locator("#age-p50")).to_have_text("1,450")
        await expect(tab.locator("#age-p99")).to_have_text("2,871")
        await expect(tab.locator("#count")).to_have_text("1")
        await expect(tab.locator("#model")).to_have_text("brightf32")
        await expect(tab.locator("#gaps")).to_have_text("stale 4")


async def test_what_ails_a_camera_is_shown_beside_its_state(tab: Tab, page: Page, url: str) -> None:
    page.status(CameraStatus("hall", "live", START_US))
    page.health(CameraHealth("hall", 1, 0, START_US, "black", True, START_US, "for 3 s"))
    await tab.goto(url)
    state = tab.locator("#camera-state")
    await expect(state).to_have_text("live · black: for 3 s")
    page.health(CameraHealth("hall", 1, 0, START_US + 1, "black", False, START_US))
    await expect(state).to_have_text("live")


async def test_the_page_comes_back_by_itself_when_the_server_does(tab: Tab, page: Page) -> None:
    link = tab.locator("#link")
    async with serve(page, port=0) as url:
        page.offer(joined(0))
        await tab.goto(url)
        await seen(tab, 0)
        await expect(link).to_have_text("Connected")
    await expect(link).to_have_text("Reconnecting")
    async with serve(page, port=URL(url).port or 0):
        await expect(link).to_have_text("Connected")
        page.offer(joined(1))
        await seen(tab, 1)


async def test_one_of_several_cameras_is_chosen_by_key_or_click(tab: Tab) -> None:
    page = Page(cameras=["hall", "yard"], zones=lambda: [GATE], now_us=lambda: START_US)
    page.offer(joined(3, "hall", ring()))
    page.offer(joined(4, "yard", ring()))
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await tab.get_by_role("button", name="Camera hall").click()
        await seen(tab, 3, "hall")
        await expect(tab.locator("#stage polygon")).to_have_count(1)
        await tab.keyboard.press("2")
        await seen(tab, 4, "yard")
        await expect(tab.locator("#stage polygon")).to_have_count(0)
        await tab.reload()
        await seen(tab, 4, "yard")
        await tab.get_by_role("button", name="Camera before").click()
        await seen(tab, 3, "hall")


@pytest.mark.parametrize("width", [320, 700, 1024, 2560])
async def test_nothing_is_cut_off_on_any_screen(tab: Tab, page: Page, url: str, width: int) -> None:
    page.offer(joined(0, "hall", ring()))
    await page.alert(alert())
    await tab.set_viewport_size({"width": width, "height": 700})
    await tab.goto(url)
    await seen(tab, 0)
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    box = await tab.locator("#stage canvas").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(SIZE[1] / SIZE[0], rel=0.02)


async def test_nothing_moves_where_motion_is_unwanted(tab: Tab, page: Page, url: str) -> None:
    page.offer(joined(0, "hall", ring()))
    await page.alert(alert())
    await tab.emulate_media(reduced_motion="reduce")
    await tab.goto(url)
    await expect(tab.locator("#stage polygon")).to_have_class("alarmed")
    assert await tab.evaluate("document.getAnimations().length") == 0


async def test_what_is_on_the_topics_is_on_the_page(tab: Tab, page: Page, url: str) -> None:
    transport = MemoryTransport()
    offered = joined(9, "hall", ring())
    assert offered.result is not None
    assert offered.tracks is not None
    async with AsyncExitStack() as stack:
        inboxes = {
            topic: await stack.enter_async_context(transport.inbox(topic, "page"))
            for topic in TOPICS
        }
        async with transport.outbox(*TOPICS) as out:
            await out.send("frames", encode_frame(offered.frame))
            await out.send("masks", encode(offered.result))
            await out.send("tracks", encode(offered.tracks))
            await out.send("alerts", encode(alert()))
        await show(inboxes, page, SteadyClock(), 1.0)
    await tab.goto(url)
    await seen(tab, 9)
    await expect(tab.locator("#feed li")).to_have_count(1)
    label = await tab.locator("#stage canvas").get_attribute("aria-label")
    assert label == "Camera hall: 1 person"


async def test_somebody_logs_in_once_and_again_when_the_token_has_changed(
    browser: BrowserContext, page: Page
) -> None:
    access = Access(SecretStr(OLD))
    async with serve(page, port=0, access=access) as url:
        tab = await stranger(browser)
        answer = await tab.goto(url)
        assert answer is not None
        assert answer.status == 401
        await tab.get_by_label("Token").fill("another-token-that-is-long")
        await tab.get_by_role("button").click()
        await expect(tab.get_by_role("alert")).to_have_text("That is not the token.")
        field = tab.get_by_label("Token")
        await expect(field).to_have_accessible_description("That is not the token.")
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(field).to_be_focused()
        await tab.get_by_label("Token").fill(OLD)
        await tab.get_by_role("button").click()
        await expect(tab.locator("#link")).to_have_attribute("data-state", "open")
    changed = Access(SecretStr(NEW))
    async with serve(page, port=URL(url).port or 0, access=changed):
        await tab.get_by_label("Token").fill(NEW)
        await tab.get_by_role("button").click()
        await expect(tab.locator("#link")).to_have_attribute("data-state", "open")
    await tab.close()


async def test_who_looks_on_sees_the_form_once_the_session_ends(
    browser: BrowserContext, page: Page
) -> None:
    access = Access(SecretStr(OLD))
    tab = await stranger(browser)
    form, link = tab.get_by_label("Token"), tab.locator("#link")

    async def log_in(token: str) -> None:
        await form.fill(token)
        await tab.get_by_role("button").click()
        await expect(link).to_have_attribute("data-state", "open")

    async with serve(page, port=0, access=access) as url:
        await tab.goto(f"{url}/#hall")
        await log_in(OLD)
        await expect(tab).to_have_url(f"{url}/#hall")
        access.renew(SecretStr(NEW))
        await expect(form).to_be_visible()
        await log_in(NEW)
        other = await tab.context.new_page()
        await other.goto(url)
        await other.get_by_role("button", name="Log out").click()
        await expect(other.get_by_label("Token")).to_be_visible()
        await expect(form).to_be_visible()
        await other.close()
        await tab.close()


async def test_where_nobody_logs_in_nobody_logs_out(tab: Tab, url: str) -> None:
    await tab.goto(url)
    await expect(tab.locator("#link")).to_have_attribute("data-state", "open")
    await expect(tab.locator("#log-out")).to_be_hidden()


async def test_a_link_on_another_site_leads_to_the_page(
    browser: BrowserContext, page: Page
) -> None:
    tab = await stranger(browser)
    async with serve(page, port=0, access=Access(SecretStr(OLD))) as url:
        await tab.goto(url)
        await tab.get_by_label("Token").fill(OLD)
        await tab.get_by_role("button").click()
        await expect(tab.locator("#link")).to_have_attribute("data-state", "open")
        await tab.route("http://chat.example/", lambda route: route.fulfill(
            content_type="text/html", body=f'<a href="{url}/#hall">hall</a>'
        ))  # fmt: skip
        await tab.goto("http://chat.example/")
        await tab.get_by_role("link").click()
        await expect(tab.locator("#link")).to_have_attribute("data-state", "open")
        await tab.close()
