"""Takes the README's screenshots of the page with the embedded family: python scripts/screenshots.py"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def generate(page: Page, tab: str, prompt: str) -> None:
    """Opens a tab, asks for a picture and waits for it."""
    page.get_by_role("tab", name=tab).click()
    page.get_by_label("Prompt", exact=True).fill(prompt)
    page.get_by_label("Seed", exact=True).fill("108")
    if tab == "Text to image":
        page.get_by_label("Pictures", exact=True).first.fill("4")
    page.get_by_role("button", name="Generate", exact=True).first.click()
    page.get_by_text(re.compile(r"^seed 108 ·")).wait_for(timeout=120_000)
    page.wait_for_timeout(1500)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)


def main() -> None:
    """Writes docs/page.png, docs/canny.png and docs/phone.png."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, ROOT / "app.py", "--family", "embedded", "--port", str(port)])
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_until_open(port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_QUIET)
            wide = browser.new_page(viewport={"width": 1280, "height": 960})
            wide.goto(address + "?__theme=light")
            generate(wide, "Text to image", "a mushroom on a blue background, fluent style")
            wide.screenshot(path=ROOT / "docs/page.png")
            wide.get_by_role("tab", name="Canny").click()
            wide.locator(".examples .grid-container button:visible").first.click()
            wide.wait_for_timeout(3000)
            generate(wide, "Canny", "a rocket on a purple background")
            wide.screenshot(path=ROOT / "docs/canny.png")
            phone = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
            phone.goto(address + "?__theme=dark")
            generate(phone, "LoRA", "a strawberry on a green background")
            phone.screenshot(path=ROOT / "docs/phone.png")
    finally:
        server.terminate()


def wait_until_open(port: int) -> None:
    """Returns once something listens on `port`."""
    for _ in range(240):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.25)
    raise TimeoutError(f"nothing listens on port {port}")


if __name__ == "__main__":
    main()
