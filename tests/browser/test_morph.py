"""From one of two compared pictures to the other, as a person sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from dmd2_demo.generate.between import Between
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.studio import Studio
from tests.browser.conftest import Open
from tests.browser.demo import Demo

pytestmark = pytest.mark.browser


def test_a_slider_leads_from_one_picture_to_the_other(open_demo: Open, tmp_path: Path) -> None:
    demo = Demo(open_demo())
    page = demo.page
    demo.panel.get_by_role("radio", name="1").check()
    one = demo.make(45)
    demo.field("Prompt").fill("a cat on a red background")
    other = demo.make(46)
    assert one
    assert other
    demo.button("Compare").click()
    page.locator("#history ul button").nth(1).click()
    expect(page.locator("#comparison")).to_be_visible()
    expect(page.locator("#morph")).to_be_hidden()

    demo.button("Morph at one step").click()
    expect(
        page.get_by_text(re.compile(r"^17 pictures; the widest step between two of them is \d+ of 255"))
    ).to_be_visible()
    shown = page.locator("#morph img")
    first = demo.image(shown).convert("RGB").tobytes()
    slider = page.get_by_label("range slider for From left to right")
    slider.focus()
    seen = {first}
    for _ in range(16):
        before = shown.get_attribute("src")
        slider.press("ArrowRight")
        expect(shown).not_to_have_attribute("src", before or "")
        seen.add(demo.image(shown).convert("RGB").tobytes())
    assert len(seen) == 17
    assert {first, demo.image(shown).convert("RGB").tobytes()} == {one, other}

    with page.expect_download() as download:
        page.get_by_role("link", name="Download as a looping WebP").or_(
            demo.button("Download as a looping WebP")
        ).first.click()
    download.value.save_as(tmp_path / "morph.webp")
    with Image.open(tmp_path / "morph.webp") as file:
        assert file.n_frames == 32  # type: ignore[attr-defined] # WebP's

    demo.button("Compare").click()  # of others nothing is left
    page.locator("#history ul button").nth(0).click()
    expect(page.locator("#morph")).to_be_hidden()


def test_another_pair_ends_the_morph_of_the_one_before(open_demo: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = Demo(open_demo())
    page = demo.page
    demo.panel.get_by_role("radio", name="1").check()
    pictures = {seed: demo.make(seed) for seed in (45, 46, 47)}
    begun, may_go_on = Event(), Event()
    generate = Studio.generate

    def delayed(self: Studio, request: Request, *arguments: Any, **named: Any) -> Iterator[Picture]:
        if isinstance(request, Between):
            begun.set()
            assert may_go_on.wait(60)
        yield from generate(self, request, *arguments, **named)

    monkeypatch.setattr(Studio, "generate", delayed)  # of the page, which this process serves
    demo.button("Compare").click()
    page.locator("#history ul button").nth(1).click()
    expect(page.get_by_text(re.compile("Left: seed 47, .* right: seed 46,"))).to_be_visible()
    demo.button("Morph at one step").click()
    assert begun.wait(60)
    with page.expect_response("**/gradio_api/reset"):  # Gradio's last word of what it cancelled
        demo.button("Compare").click()
        page.locator("#history ul button").nth(2).click()
        expect(page.get_by_text(re.compile("Left: seed 46, .* right: seed 45,"))).to_be_visible()
        expect(page.locator("#morph")).to_be_hidden()
        may_go_on.set()
    demo.button("Morph at one step").click()
    expect(page.get_by_text(re.compile(r"^\d+ pictures; the widest step"))).to_be_visible()
    assert demo.image(page.locator("#morph img")).convert("RGB").tobytes() == pictures[46]


def test_what_can_not_be_morphed_is_a_sentence(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.show("LoRA")
    demo.make(45, Pictures=2)
    demo.button("Compare").click()
    demo.page.locator("#history ul button").nth(1).click()
    demo.button("Morph at one step").click()
    expect(demo.page.get_by_text("Only pictures of text to image can be blended into each other.")).to_be_visible()
