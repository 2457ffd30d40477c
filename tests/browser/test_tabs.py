"""A picture in each tab, as a person makes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo
from tests.embedded import FAMILY

pytestmark = pytest.mark.browser


def test_text_to_image_makes_a_picture_and_tells_about_it(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(7)
    assert [demo.image(picture).size for picture in demo.gallery().all()] == [FAMILY.sizes.default]
    expect(demo.page.get_by_text("seed 7 · 4 steps · 128 × 128")).to_be_visible()


def test_one_step_and_enter_make_a_picture_too(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.panel.get_by_role("radio", name="1").check()
    demo.field("Seed").fill("8")
    demo.field("Prompt").fill("a cat")
    demo.field("Prompt").press("Enter")
    demo.wait_for_seed(8)
    expect(demo.page.get_by_text("seed 8 · 1 step ·")).to_be_visible()


def test_buttons_tell_their_keys(open_demo: Open) -> None:
    demo = Demo(open_demo())
    expect(demo.button("Generate")).to_have_attribute("title", re.compile(r"Ctrl\+Enter.*Shift\+Enter"))
    expect(demo.button("Stop")).to_have_attribute("title", "Escape")


def test_minus_one_is_shown_as_random_and_draws_a_seed_that_reuse_fixes(open_demo: Open) -> None:
    demo = Demo(open_demo())
    assert demo.shows_random()
    demo.field("Prompt").fill("a cat")
    demo.generate()
    demo.wait_for_drawn_seed()
    demo.generate()
    drawn = demo.wait_for_drawn_seed()
    picture = demo.pixels()
    demo.button("Reuse").click()
    expect(demo.field("Seed")).to_have_value(str(drawn))
    assert not demo.shows_random()
    demo.generate()
    demo.wait_for_seed(drawn)
    assert demo.pixels() == picture
    demo.button("Random").click()
    expect(demo.field("Seed")).to_have_value("-1")
    assert demo.shows_random()


def test_a_base_that_is_only_looked_at_leaves_the_scale_alone(open_demo: Open) -> None:
    demo = Demo(open_demo(), "LoRA")
    scale = demo.field("number input for LoRA scale")
    base = demo.field("Base")
    scale.fill("0.6")
    base.focus()
    base.press("Tab")
    base.click()
    demo.page.get_by_role("option", name="Fluent").click()
    expect(scale).not_to_have_value("0.6")
    scale.fill("0.7")
    base.click()
    base.press("Tab")
    demo.make(5)
    expect(scale).to_have_value("0.7")


def test_own_size_and_swap(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.field("Size").click()
    demo.page.get_by_role("option", name="Own size").click()
    demo.field("Width").fill("96")
    demo.field("Height").fill("200")
    demo.button("Swap").click()
    expect(demo.field("Width")).to_have_value("200")
    demo.make(9)
    assert demo.image(demo.gallery().first).size == (200, 96)


def test_lora_slider_there_and_back_gives_the_same_pixels(open_demo: Open) -> None:
    demo = Demo(open_demo(), "LoRA")
    scale = "number input for LoRA scale"
    there = demo.make(7, **{scale: 0.75})
    demo.make(8, **{scale: 1.5})
    demo.make(9, **{scale: 0})
    assert demo.make(7, **{scale: 0.75}) == there


def test_picking_a_base_sets_its_suggested_scale_and_shows_its_licence(open_demo: Open) -> None:
    demo = Demo(open_demo(), "LoRA")
    base = FAMILY.bases[1]
    demo.field("Base").click()
    demo.page.get_by_role("option", name=base.title).click()
    expect(demo.field("number input for LoRA scale")).to_have_value(f"{base.scale:g}")
    expect(demo.panel.get_by_role("link", name=base.licence.name)).to_have_attribute("href", base.licence.url)
    demo.make(7)


def test_canny_shows_live_edges_before_it_makes_a_picture(open_demo: Open, drawing: Path) -> None:
    demo = Demo(open_demo(), "Canny")
    demo.upload(drawing)
    expect(demo.edges()).to_be_visible()
    assert demo.image(demo.edges()).size == (144, 112)
    expect(
        demo.page.get_by_text(f"seed {FAMILY.examples[0].seed} ·")
    ).to_be_visible()  # what was there from the beginning
    shown = demo.edges().get_attribute("src")
    demo.field("number input for Low threshold").fill("480")
    demo.field("number input for High threshold").fill("500")
    expect(demo.edges()).not_to_have_attribute("src", shown or "")
    demo.make(7)
    assert demo.image(demo.gallery().first).size == (144, 112)


@pytest.mark.parametrize("tab", ["Text to image", "LoRA", "Canny"])
def test_one_click_on_an_example_fills_in_the_form(open_demo: Open, tab: str) -> None:
    demo = Demo(open_demo(), tab)
    demo.examples().first.click()
    examples = {
        "Text to image": FAMILY.examples,
        "LoRA": FAMILY.lora_examples,
        "Canny": FAMILY.canny_examples,
    }
    expect(demo.field("Prompt")).to_have_value(examples[tab][0].prompt)
    if tab == "Canny":
        expect(demo.edges()).to_be_visible()
    demo.make(7, prompt=examples[tab][0].prompt)


def test_who_comes_later_sees_what_others_have_loaded(open_demo: Open) -> None:
    Demo(open_demo()).make(7)
    later = Demo(open_demo())
    later.page.get_by_role("button", name="Loaded models").click()
    expect(later.page.get_by_text("text encoders: base")).to_be_visible()


def test_loaded_models_are_listed_and_can_be_unloaded(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(7)
    demo.page.get_by_role("button", name="Loaded models").click()
    expect(demo.page.get_by_text("text encoders: base")).to_be_visible()
    demo.page.get_by_role("button", name="Unload").click()
    expect(demo.page.get_by_text("Nothing yet")).to_be_visible()
    demo.make(8)
    expect(demo.page.get_by_text("text encoders: base")).to_be_visible()
