from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_PATIENCE = 120_000.0  # milliseconds, for whatever is waited for: a busy machine is slow

Open = Callable[..., Page]
Visit = Callable[..., Page]

_CONTEXTS = pytest.StashKey[list[BrowserContext]]()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that the environment names."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "There is no Chromium: install one, or name it in CHROMIUM."
    with sync_playwright() as playwright:
        expect.set_options(timeout=_PATIENCE)
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET, timeout=_PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """An empty page in a browser of its own, which knows nothing yet."""
    contexts = request.node.stash[_CONTEXTS] = list[BrowserContext]()

    def new_page(**options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        context.set_default_timeout(_PATIENCE)
        contexts.append(context)
        return context.new_page()

    yield new_page
    for context in contexts:
        context.close()


@pytest.fixture
def open_demo(visit: Visit, address: str) -> Iterator[Open]:
    """Opens the page as a new visitor. No page may complain, or ask any other machine for anything."""
    complaints: list[str] = []

    def open_page(query: str = "", **options: Any) -> Page:
        page = visit(**options)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((address, "data:", "blob:")) else complaints.append(asked.url),
        )
        page.goto(address + query)
        return page

    yield open_page
    assert complaints == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Tells of a failed test's pages whether their scripts still run and whether they are still drawn."""
    report = yield
    if report.failed and report.when == "call":
        for context in item.stash.get(_CONTEXTS, []):
            report.sections += [(f"page {page.url}", _signs_of_life(page)) for page in context.pages]
    return report


def _signs_of_life(page: Page) -> str:
    told = []
    for sign, script in (
        ("scripts run", "() => true"),
        ("frames are drawn", "() => new Promise(drawn => requestAnimationFrame(() => drawn(true)))"),
    ):
        try:
            page.wait_for_function(script, polling=100, timeout=5_000)
            told.append(f"{sign}: yes")
        except Error:
            told.append(f"{sign}: no")
    return "\n".join(told)


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
