"""When alerts on the live page opened, and which stand first, in a real browser."""

from dataclasses import replace

import pytest
from msgspec import structs
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from connectors.web import Page
from stream.types import Severity
from tests.support.browser import seen
from tests.support.clock import START_US
from tests.support.scene import alert, joined, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

CAMERAS = ["hall", "tape"]


@pytest.fixture
def page() -> Page:
    """A camera, and a file that has its own time."""
    page = Page(cameras=CAMERAS, zones=list, now_us=lambda: START_US)
    page.offer(joined(0, "hall", ring()))
    filmed = joined(0, "tape", ring())
    page.offer(replace(filmed, frame=replace(filmed.frame, mode="archive", time_us=83_000_000)))
    return page


async def test_an_alert_tells_when_it_opened_and_not_when_it_was_heard_of(
    tab: Tab, page: Page, url: str
) -> None:
    opened_us = START_US - 3_725_000_000
    await page.alert(structs.replace(alert(), opened_us=opened_us, time_us=opened_us))
    await tab.goto(url)
    await expect(tab.locator("#feed time")).to_have_text("1 h 2 min ago")


async def test_an_alert_of_a_file_tells_the_time_in_the_file(
    tab: Tab, page: Page, url: str
) -> None:
    await page.alert(
        structs.replace(alert(camera="tape"), opened_us=81_500_000, time_us=81_500_000)
    )
    await tab.goto(f"{url}#tape")
    await seen(tab, 0, "tape")
    await expect(tab.locator("#time")).to_have_text("01:23.0")
    await expect(tab.locator("#feed time")).to_have_text("at 01:21.5")


async def test_the_gravest_of_the_open_alerts_stands_first_and_then_the_one_that_opened_last(
    tab: Tab, page: Page, url: str
) -> None:
    async def tell(rule: str, severity: Severity, ago_s: int) -> None:
        opened_us = START_US - ago_s * 1_000_000
        told = structs.replace(alert(), id=rule, rule=rule, severity=severity)
        await page.alert(structs.replace(told, opened_us=opened_us, time_us=opened_us))

    rules = tab.locator("#feed .rule")
    await tab.goto(url)
    await tell("grave", "critical", 90)
    await tell("late", "info", 10)
    await tell("over", "critical", 5)
    await tell("graver", "critical", 60)
    await tell("later", "info", 2)
    await tell("middling", "warning", 1)
    await expect(rules).to_have_text(["over", "graver", "grave", "middling", "later", "late"])
    over = structs.replace(alert("resolved"), id="over", rule="over")
    await page.alert(structs.replace(over, opened_us=START_US - 5_000_000))
    await expect(rules).to_have_text(["graver", "grave", "middling", "later", "late", "over"])
