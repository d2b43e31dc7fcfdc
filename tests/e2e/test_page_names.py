"""Names and handles on the large picture: they can be read, and be hit with a finger."""

from itertools import combinations
from pathlib import Path

import pytest
from msgspec import structs
from playwright.async_api import BrowserContext, FloatRect, Locator, expect
from playwright.async_api import Page as Tab

from connectors.evidence import EvidenceStore
from connectors.web import Exhibits, Page, serve
from stream.evidence_spec import EvidenceSpec
from stream.rule_spec import ClipSpec
from stream.specs import ZoneSpec
from tests.support.browser import seen
from tests.support.clock import START_US
from tests.support.scene import GATE, alert, joined, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

LONG = 60 * "n"
ZONES = [
    ZoneSpec(id=name, camera="hall", polygon=((0.95, 0), (1, 1), (0, 1)))
    for name in ("gate", "apron-of-the-gate", "fence", LONG)
] + [ZoneSpec(id="floor", camera="hall", polygon=((0, 0.99), (1, 0.99), (0.5, 1)))]


async def boxes(of: Locator) -> list[FloatRect]:
    found = [await each.bounding_box() for each in await of.all()]
    return [box for box in found if box is not None]


def is_within(one: FloatRect, other: FloatRect) -> bool:
    return (
        other["x"] <= one["x"]
        and other["y"] <= one["y"]
        and one["x"] + one["width"] <= other["x"] + other["width"]
        and one["y"] + one["height"] <= other["y"] + other["height"]
    )


def do_meet(one: FloatRect, other: FloatRect) -> bool:
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


async def test_names_stay_in_the_picture_and_off_each_other(tab: Tab) -> None:
    page = Page(cameras=["hall"], zones=lambda: ZONES, now_us=lambda: START_US)
    page.offer(joined(0, "hall", ring()))
    async with serve(page, port=0) as url:
        await tab.goto(url)
        await seen(tab, 0)
        for width in (960, 390):
            await tab.set_viewport_size({"width": width, "height": 640})
            names = tab.locator("#tags .tag")
            await expect(names).to_have_count(len(ZONES))
            picture = await tab.locator("#stage").bounding_box()
            assert picture is not None
            found = await boxes(names)
            assert all(is_within(box, picture) for box in found)
            assert not any(do_meet(*pair) for pair in combinations(found, 2))
        await tab.close()


async def test_labels_at_the_top_edge_move_down_where_they_would_meet(tab: Tab, url: str) -> None:
    await tab.goto(url)
    found = await tab.evaluate(
        """async () => {
          const {paintChips} = await import('/static/paint.js');
          const context = new OffscreenCanvas(640, 360).getContext('2d');
          const found = [], painted = context.roundRect.bind(context);
          context.roundRect = (x, y, width, height, radius) => {
            found.push({x, y, width, height});
            painted(x, y, width, height, radius);
          };
          const objects = [[600, 0], [590, 3], [560, 5], [570, 40], [0, 0], [300, 200]].map(
            ([x, y], index) => ({
              label: 'person', identity: `hall/1/${index}/0`, colour: '#fff',
              box: [x, y, x + 40, y + 150],
            }));
          paintChips(context, objects, 1, 1);
          return found;
        }"""
    )
    assert len(found) == 6
    assert all(is_within(each, {"x": 0, "y": 0, "width": 640, "height": 360}) for each in found)
    assert not any(do_meet(*pair) for pair in combinations(found, 2))


@pytest.mark.parametrize(("has_touch", "least_px"), [(False, 24), (True, 44)])
async def test_what_is_pressed_is_large_enough(
    browser: BrowserContext, tmp_path: Path, has_touch: bool, least_px: int
) -> None:
    assert browser.browser is not None
    context = await browser.browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=has_touch
    )
    tab = await context.new_page()
    async with EvidenceStore(EvidenceSpec(store=str(tmp_path)), {}) as store:
        exhibits = Exhibits(store, lambda _: ClipSpec())
        page = Page(
            cameras=["hall", "yard"], zones=lambda: [GATE], now_us=lambda: START_US,
            exhibits=exhibits,
        )  # fmt: skip
        page.offer(joined(0, "hall", ring()))
        await page.alert(structs.replace(alert(), notify=("ops",)))
        async with serve(page, port=0) as url:
            await tab.goto(f"{url}#hall")
            await seen(tab, 0)
            await tab.keyboard.press("d")
            await tab.get_by_label("Shape").select_option("Zone gate")
            await expect(tab.locator(".handle")).to_have_count(3)
            targets = tab.locator("button:visible:not(.rule), #track:visible")
            for target in await targets.all():
                box = await target.bounding_box()
                assert box is not None
                assert min(box["width"], box["height"]) >= least_px, await target.inner_text()
            for word in ("Picture", "Clip"):
                await expect(tab.get_by_role("button", name=word)).to_be_visible()
            assert await tab.evaluate("document.documentElement.scrollWidth") <= 390
        await context.close()
