"""Zones and lines drawn on the live page, in a real browser: a configuration comes of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from connectors.web import Page, lines_of, serve
from stream.config import Settings, parse
from stream.rulebook import Rulebook
from stream.rules import Crossing, Presence
from stream.specs import ZoneSpec
from tests.support.browser import seen
from tests.support.clock import START_US
from tests.support.scene import GATE, alert, joined, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")  # one browser for all

WRONG_WAY = Crossing(id="wrong-way", camera="hall", line=((0.2, 0.9), (0.2, 0.1)))
QUAY = ZoneSpec(id="quay", camera="yard", polygon=((0, 0), (1, 0), (1, 1)))
HEAD = "model: {weights: yolo.pt}\ncameras: [{id: hall, url: hall.mp4}]\n"


@pytest.fixture
def page() -> Page:
    book = Rulebook([WRONG_WAY, Presence(id="keep-out", camera="hall")], [GATE, QUAY])
    page = Page(
        cameras=["hall"], zones=lambda: book.zones, now_us=lambda: START_US, lines=lines_of(book),
        rules=lambda: [rule.id for rule in book.rules],
    )  # fmt: skip
    page.offer(joined(0, "hall", ring()))
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def url(page: Page) -> AsyncIterator[str]:
    async with serve(page, port=0) as address:
        yield address


async def drawing(tab: Tab, url: str) -> None:
    await tab.set_viewport_size({"width": 1100, "height": 900})
    await tab.goto(url)
    await seen(tab, 0)
    await tab.keyboard.press("d")
    await expect(tab.locator("#editor")).to_be_visible()


async def on(tab: Tab, x: float, y: float) -> tuple[float, float]:
    """Where a point in fractions of the picture is on the screen."""
    box = await tab.locator("#stage").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


async def click(tab: Tab, *points: tuple[float, float]) -> None:
    for x, y in points:
        await tab.mouse.click(*await on(tab, x, y))


async def drag(tab: Tab, start: tuple[float, float], end: tuple[float, float]) -> None:
    await tab.mouse.move(*await on(tab, *start))
    await tab.mouse.down()
    await tab.mouse.move(*await on(tab, *end), steps=5)
    await tab.mouse.up()


async def loaded(tab: Tab) -> Settings:
    """The configuration that has what the page gives to copy."""
    await expect(tab.get_by_role("button", name="Copy")).to_be_enabled()
    return parse(HEAD + await tab.locator("#yaml").input_value(), Path("/configs/hall.yaml"))


async def test_a_zone_that_is_drawn_is_one_that_a_configuration_takes(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    corners = [(0.2, 0.2), (0.7, 0.25), (0.6, 0.8), (0.25, 0.7)]
    await click(tab, *corners)
    await expect(tab.get_by_role("button", name="Copy")).to_be_disabled()
    await click(tab, corners[0])
    await expect(tab.locator("#sheet polygon")).to_have_count(1)
    await tab.keyboard.type("loading-bay")
    (zone,) = (await loaded(tab)).zones
    assert (zone.id, zone.camera) == ("loading-bay", "hall")
    assert [pytest.approx(corner, abs=0.004) for corner in corners] == list(zone.polygon)


async def test_corners_are_dragged_added_and_taken_away(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    await click(tab, (0.2, 0.2), (0.7, 0.2), (0.7, 0.8), (0.2, 0.8))
    await tab.keyboard.press("Enter")
    await tab.get_by_label("Name").fill("bay")
    await drag(tab, (0.7, 0.8), (0.9, 0.9))
    await drag(tab, (0.2, 0.5), (0.05, 0.5))
    (zone,) = (await loaded(tab)).zones
    corners = [(0.2, 0.2), (0.7, 0.2), (0.9, 0.9), (0.2, 0.8), (0.05, 0.5)]
    assert [pytest.approx(corner, abs=0.01) for corner in corners] == list(zone.polygon)
    await tab.get_by_role("button", name="Corner 2", exact=True).focus()
    await tab.keyboard.press("Delete")
    (zone,) = (await loaded(tab)).zones
    assert len(zone.polygon) == 4
    await tab.get_by_role("button", name="Begin again").click()
    await expect(tab.locator("#handles button")).to_have_count(0)


async def test_a_zone_that_crosses_itself_is_refused_with_the_reason(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    await click(tab, (0.2, 0.2), (0.7, 0.8), (0.7, 0.2), (0.2, 0.8))
    await tab.keyboard.press("Enter")
    await tab.get_by_label("Name").fill("bow")
    await expect(tab.locator("#fault")).to_have_text("The zone crosses itself.")
    await expect(tab.get_by_role("button", name="Copy")).to_be_disabled()


async def test_a_line_that_is_drawn_is_one_that_a_rule_takes(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    await tab.get_by_label("Shape").select_option(label="New line")
    await click(tab, (0.3, 0.9), (0.4, 0.2))
    await tab.get_by_label("Name").fill("in")
    await tab.get_by_label("Direction").select_option("left-to-right")
    (rule,) = (await loaded(tab)).rules
    assert isinstance(rule, Crossing)
    assert (rule.id, rule.camera, rule.direction) == ("in", "hall", "left-to-right")
    assert list(rule.line) == [
        pytest.approx((0.3, 0.9), abs=0.004),
        pytest.approx((0.4, 0.2), abs=0.004),
    ]


async def refused(tab: Tab, name: str, why: str) -> None:
    """The field says why a name cannot be had, and nothing can be copied."""
    await tab.get_by_label("Name").fill(name)
    await expect(tab.locator("#name-fault")).to_have_text(why)
    await expect(tab.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    await expect(tab.get_by_role("button", name="Copy")).to_be_disabled()
    await expect(tab.locator("#yaml")).to_have_value("")


async def test_a_name_that_a_zone_of_any_camera_has_is_refused(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    await refused(
        tab, "gate", "There is a zone gate already, on camera hall."
    )  # before it is drawn
    await click(tab, (0.2, 0.2), (0.7, 0.2), (0.7, 0.8))
    await tab.keyboard.press("Enter")
    await refused(tab, "gate", "There is a zone gate already, on camera hall.")
    await refused(tab, "quay", "There is a zone quay already, on camera yard.")
    await tab.get_by_label("Name").fill("keep-out")  # which is a rule
    (zone,) = (await loaded(tab)).zones
    assert zone.id == "keep-out"
    await expect(tab.get_by_label("Name")).to_have_attribute("aria-invalid", "false")


async def test_a_line_has_a_name_that_no_rule_has(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    await tab.get_by_label("Shape").select_option(label="New line")
    await click(tab, (0.3, 0.9), (0.4, 0.2))
    await refused(tab, "keep-out", "There is a rule keep-out already.")
    await tab.get_by_label("Name").fill("gate")  # which is a zone
    assert (await loaded(tab)).rules[0].id == "gate"
    await tab.get_by_label("Shape").select_option(label="Line wrong-way")
    await refused(tab, "keep-out", "There is a rule keep-out already.")
    await tab.get_by_label("Name").fill("wrong-way")
    assert (await loaded(tab)).rules == (WRONG_WAY,)


async def test_the_field_says_what_a_name_consists_of(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    await click(tab, (0.2, 0.2), (0.7, 0.2), (0.7, 0.8))
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#fault")).to_have_text("Give it a name.")
    field = tab.get_by_label("Name")
    await expect(field).to_have_accessible_description(
        "a–z, 0–9 and hyphens, not first; at most 63"
    )
    await refused(tab, "Gate 2", "A name may not have “G”.")
    await refused(tab, "bay_2", "A name may not have “_”.")
    await refused(tab, "-bay", "A name begins with a letter or a digit.")
    await refused(tab, "größe", "A name may not have “ö”.")


async def test_what_is_there_is_taken_up_and_given_back_as_it_was(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    await tab.get_by_label("Shape").select_option(label="Zone gate")
    assert (await loaded(tab)).zones == (GATE,)
    await tab.get_by_label("Shape").select_option(label="Line wrong-way")
    assert (await loaded(tab)).rules == (WRONG_WAY,)


async def test_a_zone_is_drawn_without_a_mouse(tab: Tab, url: str) -> None:
    await drawing(tab, url)
    for _ in range(3):
        await tab.get_by_role("button", name="Add a corner").focus()
        await tab.keyboard.press("Enter")
        await tab.keyboard.press("Shift+ArrowUp")
    await expect(tab.get_by_role("button", name="Corner 3")).to_be_focused()
    await tab.keyboard.press("Enter")
    await tab.keyboard.type("dock")
    (zone,) = (await loaded(tab)).zones
    x, y = zone.polygon[0]
    assert (x, y) == pytest.approx((0.6, 0.5 - 10 / 120), abs=0.001)
    await tab.get_by_role("button", name="Done").click()
    await expect(tab.locator("#editor")).to_be_hidden()


async def test_a_name_is_text_in_yaml_whatever_it_looks_like(tab: Tab, url: str) -> None:
    names = ["12", "null", "true", "0x1f", "1e3", "no", "3-4", "a"]
    await tab.goto(url)
    written = await tab.evaluate(
        """async (names) => {
          const {yamlOf} = await import('/static/shape.js');
          const points = [[0, 0], [1, 0], [1, 1]];
          const zone = {kind: 'zone', camera: 'hall', points, direction: 'any'};
          return names.map((name) => yamlOf({...zone, name}));
        }""",
        names,
    )
    read = [parse(HEAD + yaml, Path("/configs/hall.yaml")).zones[0].id for yaml in written]
    assert read == names


async def test_the_lines_of_rules_are_drawn_and_are_red_while_somebody_crossed(
    tab: Tab, page: Page, url: str
) -> None:
    await tab.goto(url)
    await seen(tab, 0)
    line = tab.locator("#stage > svg line")
    await expect(line).to_have_attribute("y1", "0.9")
    await expect(tab.locator("#tags")).to_contain_text("wrong-way")
    await page.alert(structs.replace(alert(), rule="wrong-way", zone=None))
    await expect(line).to_have_class("alarmed")
