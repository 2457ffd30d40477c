"""The page as a person uses it: by what is written on it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, expect

MINUTE = 60_000.0  # as Playwright counts


class Demo:
    """One open page, in one tab of it."""

    def __init__(self, page: Page, tab: str = "Text to image") -> None:
        self.page = page
        self.show(tab)

    def show(self, tab: str) -> None:
        """Goes to that tab."""
        chosen = self.page.get_by_role("tab", name=tab)
        chosen.click()
        expect(chosen).to_have_attribute("aria-selected", "true")
        expect(self.panel.locator(".block").first).to_be_visible(timeout=MINUTE)

    @property
    def panel(self) -> Locator:
        """What the open tab alone has."""
        return self.page.locator("[role=tabpanel]:visible")

    def button(self, name: str) -> Locator:
        """That button."""
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        """That input."""
        return self.page.get_by_label(label, exact=True).filter(visible=True)

    def ask(self, seed: int, prompt: str = "a fox on a blue background", **fields: Any) -> None:
        """Fills in the form and presses Generate. Other fields by their labels, with _ for spaces."""
        self.field("Prompt").fill(prompt)
        self.field("Seed").fill(str(seed))
        for name, value in fields.items():
            self.field(name.replace("_", " ")).fill(str(value))
        self.button("Generate").click()

    def make(self, seed: int, **fields: Any) -> bytes:
        """Asks, waits, and gives the first picture's pixels."""
        self.ask(seed, **fields)
        self.wait_for_seed(seed)
        return self.pixels()[0]

    def wait_for_seed(self, seed: int) -> None:
        """Until the line under the pictures tells that seed, and nothing is in progress."""
        expect(self.page.get_by_text(re.compile(f"^seed {seed} ·"))).to_be_visible(timeout=2 * MINUTE)
        self.wait_until_idle()

    def wait_for_another_seed(self, before: int | None) -> int:
        """Until that line tells a seed other than `before`, and nothing is in progress. Gives it."""
        lines = self.page.get_by_text(re.compile(r"^seed \d+ ·"))
        if before is not None:
            lines = lines.filter(has_not_text=f"seed {before} ·")
        expect(lines).to_be_visible(timeout=2 * MINUTE)
        self.wait_until_idle()
        return int((lines.text_content() or "").split()[1])

    def shows_random(self) -> bool:
        """Whether the seed is shown as a word."""
        shown = self.page.locator("#seed").evaluate("box => getComputedStyle(box, '::after').content")
        return bool(shown == '"random"')

    def wait_until_idle(self) -> None:
        """Until no progress is shown."""
        expect(self.progress()).to_have_count(0, timeout=2 * MINUTE)

    def progress(self) -> Locator:
        """What the gallery shows while it waits or works: place in the queue, step, bar."""
        return self.page.locator(".pictures .progress-text:visible, .pictures .eta-bar:visible")

    def gallery(self) -> Locator:
        """The pictures."""
        return self.page.locator(".pictures .grid-container img, .pictures .preview img")

    def pixels(self) -> list[bytes]:
        """Of each file in the gallery."""
        return [self.image(picture).tobytes() for picture in self.gallery().all()]

    def image(self, locator: Locator) -> Image.Image:
        """The file behind an image on the page."""
        source = locator.get_attribute("src")
        assert source
        return Image.open(io.BytesIO(self.page.request.get(source).body()))

    def examples(self) -> Locator:
        """What can be clicked to fill in the form."""
        return self.page.locator(".examples .grid-container button").filter(visible=True)

    def upload(self, picture: Path) -> None:
        """Gives canny its picture."""
        self.panel.locator("input[type=file]").first.set_input_files(picture)

    def edges(self) -> Locator:
        """The live edge map."""
        return self.panel.locator(".image-frame img").nth(1)
