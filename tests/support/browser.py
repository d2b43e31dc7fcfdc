"""Debian's Chromium, as tests and the README's picture start it, and what tests see in it."""

import shutil
from typing import Any

import numpy as np
from playwright.async_api import BrowserContext, expect
from playwright.async_api import Page as Tab

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


async def stranger(browser: BrowserContext) -> Tab:
    """A tab of somebody who has not logged in anywhere."""
    await browser.clear_cookies()
    return await browser.new_page()


async def seen(tab: Tab, seq: int, camera: str = "hall") -> None:
    """Wait until a frame is drawn."""
    await expect(tab.locator("#identity")).to_have_text(f"{camera}/1/{seq}")


async def pixels_of(tab: Tab, size: tuple[int, int], selector: str = "#stage canvas") -> Any:
    """A canvas where the frame's pixels have their centres: int, shape (height, width, 3)."""
    values = await tab.evaluate(
        """([height, width, selector]) => {
          const canvas = document.querySelector(selector);
          const copy = new OffscreenCanvas(canvas.width, canvas.height)
            .getContext('2d', {willReadFrequently: true});
          copy.drawImage(canvas, 0, 0);
          const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
          const values = [];
          for (let y = 0; y < height; y += 1) {
            for (let x = 0; x < width; x += 1) {
              const column = Math.floor(((x + 0.5) * canvas.width) / width);
              const row = Math.floor(((y + 0.5) * canvas.height) / height);
              const at = 4 * (row * canvas.width + column);
              values.push(data[at], data[at + 1], data[at + 2]);
            }
          }
          return values;
        }""",
        [*size, selector],
    )
    return np.array(values, int).reshape(*size, 3)
