"""The page as a person uses it: by what is written on it."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, expect

CLIPBOARD: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
"""What a page is opened with that may use the clipboard."""


class Demo:
    """One open page, in one tab of it."""

    def __init__(self, page: Page, tab: str = "Text to image") -> None:
        self.page = page
        self._before, self._told = "", -1
        self.show(tab)

    def show(self, tab: str) -> None:
        """Goes to that tab."""
        chosen = self.page.get_by_role("tab", name=tab)
        chosen.click()
        expect(chosen).to_have_attribute("aria-selected", "true")
        expect(self.panel.locator(".block").first).to_be_visible()

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

    def set(self, label: str, text: str) -> None:
        """Fills in that input so that it stays: what the page still does as it opens may undo it."""
        for _ in range(5):
            self.field(label).fill(text)
            self.page.wait_for_timeout(1000)
            if self.field(label).input_value() == text:
                break

    def ask(self, seed: int, prompt: str = "a fox on a blue background", **fields: Any) -> None:
        """Fills in the form and presses Generate. Other fields by their labels, with _ for spaces."""
        self.field("Prompt").fill(prompt)
        self.field("Seed").fill(str(seed))
        for name, value in fields.items():
            self.field(name.replace("_", " ")).fill(str(value))
        self.generate()

    def generate(self) -> None:
        """Presses Generate, where nothing is in progress. What waits then waits for a picture that is not there yet."""
        self._before, self._told = self.shown(), self.told_seed()
        self.button("Generate").click()

    def shown(self) -> str:
        """The address of the first picture's file, which no other has; "" where there is none."""
        sources: list[str] = self.gallery().evaluate_all("shown => shown.map(one => one.src)")
        return sources[0] if sources else ""

    def make(self, seed: int, **fields: Any) -> bytes:
        """Asks, waits, and gives the first picture's pixels."""
        self.ask(seed, **fields)
        self.wait_for_seed(seed)
        return self.pixels()[0]

    def wait_for_seed(self, seed: int) -> None:
        """Until another picture is shown than when Generate was pressed, the line under it tells that seed, and
        nothing is in progress."""
        self._wait_for_another_picture()
        expect(self.page.get_by_text(re.compile(f"^seed {seed} ·"))).to_be_visible()
        self.wait_until_idle()

    def wait_for_drawn_seed(self) -> int:
        """As `wait_for_seed`, for one that was drawn, and so differs from the one that was told. Gives it."""
        before = self._told
        self._wait_for_another_picture()
        lines = self._lines().filter(has_not_text=f"seed {before} ·")
        expect(lines).to_be_visible()
        self.wait_until_idle()
        return self.told_seed()

    def told_seed(self) -> int:
        """The one in the line under the pictures; -1 where there is none yet."""
        told = self._lines().all_text_contents()
        return int(told[0].split()[1]) if told else -1

    def _lines(self) -> Locator:
        return self.page.get_by_text(re.compile(r"^seed \d+ ·"))

    def _wait_for_another_picture(self) -> None:
        shown = self.gallery().first
        expect(shown).to_be_visible()
        expect(shown).not_to_have_js_property("src", self._before)

    def shows_random(self) -> bool:
        """Whether the seed is shown as a word."""
        shown = self.page.locator("#seed").evaluate("box => getComputedStyle(box, '::after').content")
        return bool(shown == '"random"')

    def wait_until_idle(self) -> None:
        """Until no progress is shown."""
        expect(self.progress()).to_have_count(0)

    def progress(self) -> Locator:
        """What the gallery shows while it waits or works: place in the queue, step, bar."""
        return self.page.locator(".pictures .progress-text:visible, .pictures .eta-bar:visible")

    def step(self, told: str) -> Locator:
        """The line of what is in progress that says so, a pattern. Gradio tells screen readers the same elsewhere."""
        return self.page.locator(".progress-level-inner:visible").filter(has_text=re.compile(told))

    def gallery(self) -> Locator:
        """The pictures."""
        return self.page.locator(".pictures .grid-container img, .pictures .preview img")

    def open(self, number: int) -> None:
        """Opens that one of several pictures, counted from 0."""
        self.page.locator(".pictures .grid-container button").nth(number).click()
        expect(self.page.locator(".pictures .preview")).to_be_visible()

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
        self.page.locator("#picture input[type=file]").first.set_input_files(picture)

    def choose_clipboard(self, place: str) -> None:
        """Chooses the clipboard, in which there is no picture, as the source of the input there."""
        self.page.evaluate("navigator.clipboard.writeText('no picture')")
        self.page.locator(place).get_by_label("Paste from clipboard").click()
        expect(self.page.locator(place).locator("input[type=file]")).to_have_count(0)

    def drop(self, file: Path, place: Locator | None = None) -> None:
        """Drops that file there, else on the page's head, which takes none itself."""
        content = base64.b64encode(file.read_bytes()).decode()
        dragged = self.page.evaluate_handle(
            """([name, content]) => {
              const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
              const dragged = new DataTransfer();
              dragged.items.add(new File([bytes], name, { type: 'image/png' }));
              return dragged;
            }""",
            [file.name, content],
        )
        for event in ("dragover", "drop"):
            (place or self.page.locator("#header")).dispatch_event(event, {"dataTransfer": dragged})

    def edges(self) -> Locator:
        """The live edge map."""
        return self.page.locator("#picture .image-frame img").nth(1)
