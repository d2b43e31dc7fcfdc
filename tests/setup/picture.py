"""Take the pictures of the live page in a browser: the demo while somebody lingers, a wall of
cameras, and a zone that is drawn.

Run as ``python -m tests.setup.picture [demo|wall|drawing]``; needs Chromium, and looks best with
the font Inter. The films of the wall lie in ``.cache/wall``.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.setup.wall import LOST, configuration
from tests.support.browser import CHROMIUM, FLAGS

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
PORT = 8123
VIEW: ViewportSize = {"width": 1280, "height": 720}
DESK: ViewportSize = {"width": 1440, "height": 900}
START_MS, ALERT_MS, SETTLE_MS = 60_000, 120_000, 1_500
LOOK_MS = 25_000
"""For so long cameras run before the wall's picture is taken: every film has begun again."""


def demo() -> None:
    """The demo, after its second alert."""
    with _served(["demo", "--port", str(PORT)]), _opened(VIEW) as page:
        expect(page.locator("#feed")).to_contain_text("lingers", timeout=ALERT_MS)
        _taken(page, "demo")


def wall() -> None:
    """Nine cameras, one of them lost, with an alert that is open."""
    config = configuration(ROOT / ".cache" / "wall")
    with _served(["run", str(config), "--page", str(PORT)]), _opened(DESK) as page:
        lost = page.locator(f'[data-camera="{LOST["id"]}"] .tile')
        expect(lost).to_contain_text("refused", timeout=START_MS)
        page.wait_for_timeout(LOOK_MS)
        expect(page.locator(".tile.alarmed").first).to_be_visible(timeout=ALERT_MS)
        _taken(page, "wall")


def drawing() -> None:
    """A zone being drawn on the demo's yard, a few seconds back."""
    with _served(["demo", "--port", str(PORT)]), _opened(DESK) as page:
        page.wait_for_timeout(LOOK_MS)
        for _ in range(4):
            page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("d")
        box = page.locator("#stage").bounding_box()
        assert box is not None
        for x, y in ((0.05, 0.52), (0.33, 0.5), (0.42, 0.9), (0.06, 0.93)):
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.keyboard.press("Enter")
        page.keyboard.type("crossing")
        _taken(page, "drawing")


@contextmanager
def _served(arguments: list[str]) -> Iterator[None]:
    command = [sys.executable, "-c", "from stream.cli import main; main()", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        try:
            assert running.stdout is not None
            while b"live page" not in running.stdout.readline():
                assert running.poll() is None, "it ended before there was a page"
            yield
        finally:
            running.terminate()
            running.communicate()


@contextmanager
def _opened(view: ViewportSize) -> Iterator[Page]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=view, device_scale_factor=1, color_scheme="dark")
        page.goto(f"http://127.0.0.1:{PORT}/", timeout=START_MS)
        yield page
        browser.close()


def _taken(page: Page, name: str) -> None:
    page.wait_for_timeout(SETTLE_MS)
    IMAGES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=IMAGES / f"{name}.jpg", type="jpeg", quality=80)


PICTURES: dict[str, Callable[[], None]] = {"demo": demo, "wall": wall, "drawing": drawing}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or PICTURES:
        PICTURES[wanted]()
