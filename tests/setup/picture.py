"""Take the README's picture: the live page of the demo in a browser, while somebody lingers.

Run as ``python -m tests.setup.picture``; needs Chromium, and looks best with the font Inter.
"""

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, expect, sync_playwright

from tests.support.browser import CHROMIUM, FLAGS

TARGET = Path(__file__).resolve().parents[2] / "docs" / "images" / "demo.jpg"
PORT = 8123
VIEW: ViewportSize = {"width": 1280, "height": 720}
START_MS, ALERT_MS, SETTLE_MS = 60_000, 120_000, 1_500


def main() -> None:
    """Start the demo, wait for the second alert, take the picture."""
    command = [sys.executable, "-c", "from stream.cli import main; main()", "demo"]
    with subprocess.Popen([*command, "--port", str(PORT)], stdout=subprocess.PIPE) as demo:
        try:
            assert demo.stdout is not None
            demo.stdout.readline()
            _take(f"http://127.0.0.1:{PORT}/")
        finally:
            demo.terminate()


def _take(url: str) -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=VIEW, device_scale_factor=1)
        page.goto(url, timeout=START_MS)
        expect(page.locator("#feed")).to_contain_text("lingers", timeout=ALERT_MS)
        page.wait_for_timeout(SETTLE_MS)
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=TARGET, type="jpeg", quality=80)
        browser.close()


if __name__ == "__main__":
    main()
