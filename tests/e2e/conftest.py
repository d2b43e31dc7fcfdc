"""One browser for all tests of the page, and a page that shows one camera."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, async_playwright, expect
from playwright.async_api import Page as Tab

from connectors.web import Page, serve
from tests.support.browser import CHROMIUM, FLAGS
from tests.support.clock import START_US
from tests.support.required import require
from tests.support.scene import GATE

PATIENCE_MS = 20_000


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[BrowserContext]:
    require("chromium", CHROMIUM is not None, "chromium is not installed (tests/setup/chromium.sh)")
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield await browser.new_context(viewport={"width": 960, "height": 640})
        await browser.close()


@pytest.fixture
def page() -> Page:
    return Page(cameras=["hall"], zones=lambda: [GATE], now_us=lambda: START_US)


@pytest_asyncio.fixture(loop_scope="session")
async def url(page: Page) -> AsyncIterator[str]:
    async with serve(page, port=0) as address:
        yield address


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: BrowserContext, url: str) -> AsyncIterator[Tab]:
    """A tab in which nothing may go wrong: an error or warning on its console fails the test.

    It is closed before the server at ``url``, so that it has no cause to complain of its end.
    """
    assert url
    tab = await browser.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    yield tab
    await tab.close()
    nobody_there = ("WebSocket connection", "net::ERR_")  # where a test stops the server
    assert [each for each in complaints if not any(word in each for word in nobody_there)] == []
