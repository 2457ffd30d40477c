from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_PATIENCE = 120_000.0  # milliseconds; a busy machine is slow to start a browser

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that the environment names."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "There is no Chromium: install one, or name it in CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET, timeout=_PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def open_demo(browser: Browser, address: str) -> Iterator[Open]:
    """Opens the page as a new visitor. No page may complain, or ask any other machine for anything."""
    contexts, complaints = [], list[str]()

    def open_page(query: str = "", **options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((address, "data:", "blob:")) else complaints.append(asked.url),
        )
        page.goto(address + query, timeout=_PATIENCE)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A picture with a strong edge and a faint one."""
    image = Image.new("RGB", (320, 240), (40, 60, 80))
    pen = ImageDraw.Draw(image)
    pen.circle((120, 120), 75, (230, 210, 60))
    pen.rectangle((240, 40, 290, 200), (90, 100, 110))
    path = tmp_path / "drawing.png"
    image.save(path)
    return path
