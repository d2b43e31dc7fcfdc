"""What axe-core finds on a page, and the borders of fields, which it does not look at."""

import re
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page as Tab

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
LEAST_OF_FIELDS = 3.0
"""Contrast of what a field is known by to what is around it (WCAG 2.1, 1.4.11)."""


async def faults(tab: Tab) -> list[str]:
    """What breaks a rule of WCAG 2.1 A or AA on the page as it stands, a line each.

    Where colours run into each other axe judges no contrast. So the page's ground is made one
    colour, each of those that it runs between in turn.
    """
    await tab.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = await tab.evaluate(
        """async (values) => {
          const found = [];
          const root = getComputedStyle(document.documentElement);
          for (const [name, runOnly] of [
            ['--ground', {type: 'tag', values}],
            ['--glow', {type: 'rule', values: ['color-contrast']}],
          ]) {
            document.body.style.background = root.getPropertyValue(name);
            found.push(...(await axe.run(document, {runOnly})).violations);
          }
          document.body.style.background = '';
          return found;
        }""",
        LEVELS,
    )
    lines = {
        f"{each['id']}: {node['target']}: {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    }
    return sorted(lines) + await _faint_fields(tab)


async def _faint_fields(tab: Tab) -> list[str]:
    fields = await tab.evaluate(
        """() => [...document.querySelectorAll('select, textarea, input')]
          .filter((each) => each.checkVisibility() && !['range', 'checkbox'].includes(each.type))
          .map((each) => {
            let around = each.parentElement;
            const ground = () => getComputedStyle(around).backgroundColor;
            while (ground() === 'rgba(0, 0, 0, 0)') around = around.parentElement;
            return [each.id, getComputedStyle(each).borderTopColor, ground()];
          })"""
    )
    measured = [(name, contrast(border, around)) for name, border, around in fields]
    return [f"{name}: {ratio:.2f}" for name, ratio in measured if ratio < LEAST_OF_FIELDS]


def contrast(one: str, other: str) -> float:
    """Of two colours as browsers compute them, ``rgb(…)``: 1 to 21 (WCAG 2.1, contrast ratio)."""
    dark, light = sorted([_luminance(one), _luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    values = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in values
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
