"""Settings come back from a picture: given to the panel, or dropped anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import CLIPBOARD, Demo
from tests.embedded import FAMILY
from tests.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(address: str, tmp_path: Path) -> Visitor:
    return Visitor(address, tmp_path)


def theirs(path: Path) -> Path:
    """A picture as WebUI saves it."""
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a lion\nSteps: 30, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, Size: 160x96")
    Image.new("RGB", (160, 96)).save(path, pnginfo=info)
    return path


def test_use_all_follows_a_dropped_picture_in_everything(open_demo: Open, visitor: Visitor) -> None:
    base = FAMILY.bases[1]
    made = visitor.ask(
        "/lora", seed=77, prompt="a rocket", base=base.name, lora_scale=0.6, width=160, height=96, tiny_vae=True
    )
    demo = Demo(open_demo())
    demo.drop(made.paths[0])
    table = demo.page.locator("#inspect table")
    expect(table).to_contain_text("a rocket")
    expect(demo.field("Prompt")).to_have_value(FAMILY.examples[0].prompt)  # only told so far
    demo.button("Use all").click()
    expect(demo.page.get_by_role("tab", name="LoRA")).to_have_attribute("aria-selected", "true")
    expect(demo.field("Prompt")).to_have_value("a rocket")
    expect(demo.field("Seed")).to_have_value("77")
    expect(demo.field("Size")).to_have_value("5:3 · 160 × 96")
    expect(demo.field("Base")).to_have_value(base.title)
    # Not the base's own, which is what picking it sets.
    expect(demo.field("number input for LoRA scale")).to_have_value("0.6")
    demo.page.wait_for_timeout(500)
    expect(demo.field("number input for LoRA scale")).to_have_value("0.6")
    demo.generate()
    demo.wait_for_seed(77)
    assert demo.pixels() == made.pixels


def test_use_all_but_the_seed_leaves_it_and_an_own_size_is_shown(open_demo: Open, visitor: Visitor) -> None:
    made = visitor.ask("/text_to_image", seed=78, prompt="a cat", steps=1, width=72, height=200)
    demo = Demo(open_demo(), "Canny")
    demo.drop(made.paths[0])
    demo.button("Use all but the seed").click()
    expect(demo.field("Prompt")).to_have_value("a cat")
    expect(demo.page.get_by_role("tab", name="Text to image")).to_have_attribute("aria-selected", "true")
    expect(demo.panel.get_by_role("radio", name="1")).to_be_checked()
    expect(demo.field("Width")).to_have_value("72")
    expect(demo.field("Height")).to_have_value("200")
    assert demo.shows_random()


def test_another_tools_picture_fills_in_what_applies_and_the_rest_is_named(open_demo: Open, tmp_path: Path) -> None:
    demo = Demo(open_demo())
    demo.drop(theirs(tmp_path / "theirs.png"))
    table = demo.page.locator("#inspect table")
    expect(table).to_contain_text("CFG scale (ignored)")
    demo.button("Use all").click()
    expect(demo.field("Prompt")).to_have_value("a lion")
    expect(demo.field("Seed")).to_have_value("5")


def test_a_second_drop_replaces_the_first_and_one_that_says_nothing_empties_the_table(
    open_demo: Open, visitor: Visitor, drawing: Path
) -> None:
    demo = Demo(open_demo())
    table = demo.page.locator("#inspect table")
    for prompt in ("a cat", "a fox"):
        demo.drop(visitor.ask("/text_to_image", steps=1, prompt=prompt).paths[0])
        expect(table).to_contain_text(prompt)
    demo.drop(drawing)
    expect(demo.page.get_by_test_id("toast-body")).to_contain_text("There are no settings")
    expect(demo.button("Use all")).to_have_count(0)


def test_a_drop_is_read_also_where_the_clipboard_was_chosen(open_demo: Open, visitor: Visitor) -> None:
    demo = Demo(open_demo(**CLIPBOARD))
    demo.page.get_by_role("button", name="Settings from a picture").click()
    demo.choose_clipboard("#inspect")
    demo.drop(visitor.ask("/text_to_image", steps=1, prompt="a cat").paths[0])
    expect(demo.page.locator("#inspect table")).to_contain_text("a cat")


def test_a_picture_dropped_on_canny_is_cannys(open_demo: Open, drawing: Path) -> None:
    demo = Demo(open_demo(), "Canny")
    demo.drop(drawing, demo.page.locator("#picture").get_by_label("Drop an image file here to upload").first)
    expect(demo.edges()).to_be_visible()
    expect(demo.page.locator("#inspect .open")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("parameters", "a lion <lora:foo:0.8>\nSteps: 4"),
        ("dmd2", '{"prompt": "a lion", "style": "foo", "style_scale": 0.8}'),
    ],
    ids=["another tool's", "a style that is not here"],
)
def test_what_a_picture_was_made_without_is_not_left_chosen(
    open_demo: Open, tmp_path: Path, name: str, told: str
) -> None:
    demo = Demo(open_demo())
    demo.page.get_by_role("button", name=re.compile("^Style")).click()
    demo.field("Style").click()
    demo.page.get_by_role("option", name="Pixel art").click()
    demo.page.get_by_role("button", name="More").click()
    demo.field("Plain prompt").check()
    info = PngImagePlugin.PngInfo()
    info.add_text(name, told)
    Image.new("RGB", (128, 128)).save(tmp_path / "foo.png", pnginfo=info)
    demo.drop(tmp_path / "foo.png")
    demo.button("Use all").click()
    expect(demo.field("Prompt")).to_have_value("a lion")
    expect(demo.field("Style")).to_have_value("None")
    expect(demo.field("Plain prompt")).not_to_be_checked()
