"""The live page for those who do not see it, or use no mouse, in a real browser."""

from functools import partial
from typing import Literal, get_args

import pytest
import pytest_asyncio
from msgspec import structs
from playwright.async_api import BrowserContext, expect
from playwright.async_api import Page as Tab
from pydantic import SecretStr
from yarl import URL

from connectors.web import Access, Page, serve
from connectors.web.api import Board, add_api
from stream.types import CameraHealth, CameraStatus, Severity
from tests.support.axe import faults
from tests.support.browser import seen, stranger
from tests.support.build import gap
from tests.support.clock import START_US
from tests.support.scene import GATE, alert, encoded, ring

TOKEN = "a-token-that-is-long-enough"
CAMERAS = ["dock", "gate", "hall", "yard"]

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all


@pytest_asyncio.fixture(loop_scope="session")
async def busy() -> Page:
    """Four cameras in different states, one with alerts of all severities."""
    page = Page(cameras=CAMERAS, zones=lambda: [GATE], now_us=lambda: START_US)
    for camera in CAMERAS[:3]:
        page.status(CameraStatus(camera, "live", START_US))
        shown = encoded(0, camera, ring())
        assert shown.result is not None
        page.offer(shown)
        page.count(shown.result)
    page.count(gap(1, 4))
    page.status(CameraStatus("yard", "lost", START_US, "connection refused"))
    page.health(CameraHealth("gate", 1, 0, START_US, "black", True, START_US, "for 3 s"))
    for severity in get_args(Severity):
        for state in ("opened", "resolved"):
            told = structs.replace(alert(), id=f"{severity}-{state}", severity=severity)
            await page.alert(structs.replace(told, state=state, notify=("ops",)))
    return page


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 390)])
async def test_axe_finds_nothing(
    tab: Tab, busy: Page, theme: Literal["dark", "light"], width: int
) -> None:
    await tab.emulate_media(color_scheme=theme, reduced_motion="reduce")
    await tab.set_viewport_size({"width": width, "height": 844})
    async with serve(busy, port=0) as url:
        await tab.goto(url)
        await expect(tab.locator("#feed li")).to_have_count(6)
        await expect(tab.locator('[data-camera="hall"] .tile')).to_have_attribute("data-seq", "0")
        assert await faults(tab) == [], "the wall"
        await tab.get_by_role("button", name="Camera hall").click()
        await seen(tab, 0)
        assert await faults(tab) == [], "a camera"
        await tab.keyboard.press("Space")
        await expect(tab.locator("#ago")).to_contain_text("ago")
        await tab.keyboard.press("d")
        await tab.get_by_label("Name").fill("Not A Name")
        assert await faults(tab) == [], "in the past, drawing"
        await tab.get_by_role("button", name="Done").click()
        await tab.keyboard.press("?")
        assert await faults(tab) == [], "the keys"
        await tab.close()


async def test_axe_finds_nothing_where_there_is_no_script(
    browser: BrowserContext, page: Page
) -> None:
    tab = await stranger(browser)
    api = partial(add_api, operations=Board(page).operations(), with_token=True)
    async with serve(page, port=0, access=Access(SecretStr(TOKEN)), parts=[api]) as url:
        await tab.goto(f"{url}/login")
        assert await faults(tab) == [], "the form"
        await tab.get_by_label("Token").fill("another")
        await tab.get_by_role("button").click()
        await expect(tab.get_by_role("alert")).to_be_visible()
        assert await faults(tab) == [], "a wrong token"
        await tab.get_by_label("Token").fill(TOKEN)
        await tab.get_by_role("button").click()
        await expect(tab.locator("#link")).to_have_attribute("data-state", "open")
        await tab.goto(f"{url}/v1/")
        assert await faults(tab) == [], "the API"
        await tab.close()


async def test_an_alert_is_said_once_when_it_opens_and_not_again_after_a_break(
    tab: Tab, page: Page
) -> None:
    news, link = tab.get_by_role("log", name="New alerts").locator("p"), tab.locator("#link")
    await page.alert(alert())
    later = structs.replace(alert(), id="hall-2", rule="fence")
    meanwhile = structs.replace(alert(), id="hall-3", rule="door")
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await expect(tab.locator("#feed li")).to_have_count(1)
        await expect(tab.locator("#no-alerts")).to_be_hidden()
        await page.alert(later)
        await expect(news).to_have_text(["critical: fence, hall › gate · person #7"])
        await page.alert(structs.replace(later, state="resolved"))
    await expect(link).to_have_text("Reconnecting")
    await page.alert(meanwhile)
    async with serve(page, port=URL(url).port or 0):
        await expect(link).to_have_text("Connected")
        await expect(tab.locator("#feed li")).to_have_count(3)
        await expect(news).to_have_text(
            ["critical: fence, hall › gate · person #7", "critical: door, hall › gate · person #7"]
        )


async def test_a_pause_leaves_a_screen_reader_in_peace(tab: Tab, page: Page, url: str) -> None:
    page.offer(encoded(0, "hall", ring()))
    await tab.goto(url)
    await seen(tab, 0)
    await tab.keyboard.press("Space")
    await expect(tab.locator("#ago")).to_contain_text("ago")
    said = await tab.evaluate(
        """async () => {
          const live = '[aria-live]:not([aria-live="off"]), [role="status"], [role="log"], '
            + '[role="alert"], output:not([aria-live="off"])';
          const told = [], clock = document.getElementById('ago');
          const watching = new MutationObserver((changes) => told.push(
            ...changes.map(({target}) => target.textContent)));
          for (const each of document.querySelectorAll(live)) {
            if (!each.checkVisibility({visibilityProperty: true})) continue;
            watching.observe(each, {subtree: true, childList: true, characterData: true});
          }
          let words = clock.textContent;
          for (let changes = 0; changes < 3;) {
            await new Promise(requestAnimationFrame);
            if (clock.textContent !== words) [words, changes] = [clock.textContent, changes + 1];
          }
          return told;
        }"""
    )
    assert said == []


async def test_keys_with_a_single_character_can_be_switched_off(
    tab: Tab, page: Page, url: str
) -> None:
    page.offer(encoded(0, "hall", ring()))
    page.offer(encoded(1, "yard", ring()))
    await tab.goto(f"{url}#hall")
    await seen(tab, 0)
    masks = tab.get_by_role("button", name="Masks")
    help_, switch = tab.get_by_role("dialog", name="Keys"), tab.get_by_role("checkbox")
    await tab.keyboard.press("?")
    await switch.uncheck()
    await tab.keyboard.press("Escape")
    for _ in ("switched off", "remembered"):
        for key in ("m", "2", "]", "d", "?"):
            await tab.keyboard.press(key)
        await expect(masks).to_have_attribute("aria-pressed", "true")
        await expect(masks).not_to_have_attribute("aria-keyshortcuts", "m")
        await expect(tab.locator("#camera-name")).to_have_text("hall")
        await expect(tab.locator("#editor")).to_be_hidden()
        await expect(help_).to_be_hidden()
        await tab.keyboard.press("Space")
        await expect(tab.locator("#pause")).to_have_attribute("aria-pressed", "true")
        await tab.reload()
        await seen(tab, 0)
    await tab.get_by_role("button", name="Keys").click()
    await switch.check()
    await tab.keyboard.press("Escape")
    await tab.keyboard.press("m")
    await expect(masks).to_have_attribute("aria-pressed", "false")
