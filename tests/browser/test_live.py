"""Live: the picture follows the words."""

from __future__ import annotations

import base64
import io
import random
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.studio import Studio
from dmd2_demo.page.live import _shown
from tests.browser.conftest import Open
from tests.browser.demo import Demo
from tests.embedded import FAMILY, EmbeddedRuntime, text
from tests.visitor import connect

pytestmark = pytest.mark.browser

BURSTS = 30
WORDS = ["cat", "dog", "fox", "car", "house", "rocket", "lion", "penguin", "tree", "apple"]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedRuntime:
    return EmbeddedRuntime.open(tmp_path_factory.mktemp("converted"))


class LiveDemo(Demo):
    """A page with the switch on."""

    def __init__(self, page: Page, tab: str = "Text to image", seed: int = 7) -> None:
        super().__init__(page, tab)
        self.field("Seed").fill(str(seed))
        self.page.get_by_label("Live", exact=True).check()
        expect(self.view).to_be_visible()

    @property
    def view(self) -> Any:
        return self.page.locator("#live-picture img")

    def source(self) -> str:
        return self.view.get_attribute("src") or ""

    def shows(self, image: Image.Image) -> None:
        """Waits until that picture is there, and looks once more a moment later."""
        (source,) = [part for part in _shown(image).split('"') if part.startswith("data:")]
        expect(self.view).to_have_attribute("src", source)
        self.page.wait_for_timeout(300)
        expect(self.view).to_have_attribute("src", source)


def sketch(runtime: EmbeddedRuntime, **changes: Any) -> Image.Image:
    """What live is to show."""
    return runtime.make(text(**({"steps": 1, "tiny_vae": True, "seed": 7} | changes)))


def test_the_last_letter_of_every_burst_lands(open_demo: Open, runtime: EmbeddedRuntime) -> None:
    demo = LiveDemo(open_demo())
    chance = random.Random(0)
    for number in range(BURSTS):
        prompt = f"a {chance.choice(WORDS)} on a {chance.choice(['pink', 'blue', 'green'])} background"
        written = prompt[: chance.randrange(8, len(prompt) + 1)] + chance.choice(["", "s", " x"]) + str(number)
        demo.field("Prompt").fill("")
        demo.field("Prompt").press_sequentially(written, delay=chance.choice([0, 15, 60]))
        demo.shows(sketch(runtime, prompt=written))


def test_the_old_picture_stays_while_the_prompt_is_empty(open_demo: Open, runtime: EmbeddedRuntime) -> None:
    demo = LiveDemo(open_demo())
    demo.field("Prompt").fill("a cat")
    demo.shows(sketch(runtime, prompt="a cat"))
    before = demo.source()
    demo.field("Prompt").fill("")
    expect(demo.page.get_by_text("the prompt is empty")).to_be_visible()
    assert demo.source() == before


def test_what_a_picture_fails_at_is_told_in_the_line_and_not_at_each_letter(
    open_demo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = LiveDemo(open_demo())

    def refuse(*_arguments: object, **_named: object) -> None:
        raise DemoError("There is no room for it.")

    monkeypatch.setattr(Studio, "generate", refuse)  # of the page, which this process serves
    demo.field("Prompt").press_sequentially(" at night", delay=60)
    expect(demo.page.get_by_text("There is no room for it.")).to_be_visible()
    expect(demo.page.get_by_test_id("toast-body")).to_have_count(0)


def test_the_seed_is_pinned_and_one_key_draws_another(open_demo: Open) -> None:
    demo = LiveDemo(open_demo(), seed=-1)
    seed = int(demo.field("Seed").input_value())
    assert seed >= 0
    before = demo.source()
    demo.page.keyboard.press("Alt+n")
    expect(demo.view).not_to_have_attribute("src", before)
    assert int(demo.field("Seed").input_value()) not in {seed, -1}


def test_a_slider_is_followed_in_the_lora_tab(open_demo: Open) -> None:
    demo = LiveDemo(open_demo(), "LoRA")
    expect(demo.page.get_by_text("seed 7 · 4 steps")).to_be_visible()
    before = demo.source()
    demo.field("number input for LoRA scale").fill("0.4")
    expect(demo.view).not_to_have_attribute("src", before)


def test_the_newest_change_lands_also_where_another_tabs_picture_takes_longer(
    open_demo: Open, runtime: EmbeddedRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = LiveDemo(open_demo())
    begun, may_end = Event(), Event()
    generate = Studio.generate

    def delayed(self: Studio, request: Request, *arguments: Any, **named: Any) -> Iterator[Picture]:
        if request.task == "lora":
            begun.set()
            assert may_end.wait(60)
        yield from generate(self, request, *arguments, **named)

    monkeypatch.setattr(Studio, "generate", delayed)  # of the page, which this process serves
    demo.show("LoRA")
    assert begun.wait(60)
    demo.show("Text to image")
    demo.field("Prompt").fill("a cat")
    may_end.set()
    demo.shows(sketch(runtime, prompt="a cat"))


def test_keep_makes_the_very_picture_a_file_with_its_settings(open_demo: Open, runtime: EmbeddedRuntime) -> None:
    demo = LiveDemo(open_demo())
    demo.field("Prompt").fill("a fox")
    expected = sketch(runtime, prompt="a fox")
    demo.shows(expected)
    demo.button("Keep").click()
    expect(demo.page.get_by_text("seed 7 · 1 step ·")).to_have_count(2)  # of both pictures
    demo.wait_until_idle()
    kept = demo.image(demo.gallery().first)
    assert kept.tobytes() == expected.tobytes()
    assert '"tiny_vae": true' in kept.info["dmd2"]
    assert '"prompt": "a fox"' in kept.info["dmd2"]


def test_what_there_is_not_to_keep_is_a_sentence_and_the_way_to_make_it(open_demo: Open) -> None:
    demo = Demo(open_demo())
    expect(demo.field("Prompt")).to_have_value(FAMILY.examples[0].prompt)  # else it is filled in later
    demo.field("Prompt").fill("")
    demo.page.get_by_label("Live", exact=True).check()
    expect(demo.page.get_by_text("the prompt is empty")).to_be_visible()
    demo.button("Keep").click()
    said = demo.page.get_by_test_id("toast-body")
    expect(said).to_contain_text("There is no live picture, or it is older than 10 minutes. Change something")


def test_finish_goes_on_from_the_picture_in_four_steps(open_demo: Open, runtime: EmbeddedRuntime) -> None:
    demo = LiveDemo(open_demo())
    demo.field("Prompt").fill("a fox")
    demo.shows(sketch(runtime, prompt="a fox"))
    demo.button("Finish in 4 steps").click()
    expect(demo.page.get_by_text("seed 7 · runs 2 of 4 steps")).to_be_visible()
    demo.wait_until_idle()
    assert demo.image(demo.gallery().first).size == FAMILY.sizes.default


def test_finish_keeps_the_style(open_demo: Open, runtime: EmbeddedRuntime) -> None:
    demo = LiveDemo(open_demo())
    demo.page.get_by_role("button", name=re.compile("^Style LoRAs")).click()
    demo.field("Style").click()
    demo.page.get_by_role("option", name="Pixel art").click()
    demo.field("Prompt").fill("a fox")
    demo.shows(sketch(runtime, prompt="a fox", style="pixel", style_scale=FAMILY.style("pixel").scale))
    demo.button("Finish in 4 steps").click()
    expect(demo.page.get_by_text("seed 7 · runs 2 of 4 steps")).to_be_visible()
    demo.wait_until_idle()
    assert '"style": "pixel"' in demo.image(demo.gallery().first).info["dmd2"]


def test_off_it_makes_nothing(open_demo: Open, address: str, tmp_path: Path) -> None:
    client = connect(address, download_files=tmp_path)
    demo = Demo(open_demo())
    before = client.predict(api_name="/status")["leases"]
    demo.field("Prompt").fill("a cat")
    demo.field("Seed").fill("11")
    demo.page.wait_for_timeout(1000)
    assert client.predict(api_name="/status")["leases"] == before


def test_what_is_shown_is_the_picture() -> None:
    image = Image.new("RGB", (64, 64), (200, 30, 60))
    data = base64.b64decode(_shown(image).split("base64,")[1].split('"')[0])
    with Image.open(io.BytesIO(data)) as shown:
        pixel = shown.getpixel((32, 32))
        assert isinstance(pixel, tuple)
        assert all(abs(one - two) <= 3 for one, two in zip(pixel, (200, 30, 60), strict=True))
