"""The live page for those who do not see it, or use no mouse, in a real browser."""

import pytest
from msgspec import structs
from playwright.async_api import Page as Tab
from playwright.async_api import expect
from yarl import URL

from connectors.web import Page, serve
from tests.support.browser import seen
from tests.support.scene import alert, encoded, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all


async def test_an_alert_is_said_once_when_it_opens_and_not_again_after_a_break(
    tab: Tab, page: Page
) -> None:
    news, link = tab.get_by_role("log", name="New alerts").locator("p"), tab.locator("#link")
    page.alert(alert())
    later = structs.replace(alert(), id="hall-2", rule="fence")
    meanwhile = structs.replace(alert(), id="hall-3", rule="door")
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await expect(tab.locator("#feed li")).to_have_count(1)
        await expect(tab.locator("#no-alerts")).to_be_hidden()
        page.alert(later)
        await expect(news).to_have_text(["critical: fence, hall › gate · person #7"])
        page.alert(structs.replace(later, state="resolved"))
    await expect(link).to_have_text("Reconnecting")
    page.alert(meanwhile)
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
