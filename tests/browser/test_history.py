"""What was made here is kept by the browser, and everything can be done with it again."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open, Visit
from tests.browser.demo import Demo
from tests.browser.strip import reopened, show, strip

pytestmark = pytest.mark.browser


def comparison(demo: Demo) -> Locator:
    return demo.page.locator("#comparison")


def test_pictures_survive_a_reload_and_a_click_shows_each_with_its_settings(open_demo: Open) -> None:
    demo = Demo(open_demo())
    expect(demo.page.locator("#history")).to_be_hidden()
    demo.make(41, Pictures=2)
    both = demo.pixels()
    expect(strip(demo)).to_have_count(2)
    demo.make(50, Pictures=1, prompt="a cat")
    expect(strip(demo)).to_have_count(3)
    demo = reopened(demo)
    expect(demo.page.get_by_text("seed 50 ·")).to_be_visible()  # what was made last comes back, and would cover others
    expect(strip(demo)).to_have_count(3)
    assert show(demo, 2, 42) == both[1]
    assert show(demo, 1, 41) == both[0]
    expect(demo.page.locator("#history li img").first).to_have_attribute("alt", "a cat, seed 50, steps 4")


def test_two_tabs_of_a_browser_have_one_history(open_demo: Open) -> None:
    demo = Demo(open_demo())
    page = demo.page.context.new_page()
    page.goto(demo.page.url)
    other = Demo(page)
    demo.make(61)
    expect(strip(other)).to_have_count(1)
    other.make(62)
    expect(strip(demo)).to_have_count(2)
    show(demo, 0, 62)
    demo.button("Delete").click()
    expect(strip(other)).to_have_count(1)
    expect(strip(reopened(other))).to_have_count(1)
    expect(strip(reopened(demo))).to_have_count(1)


def test_a_tab_that_may_not_tell_others_has_a_history_too(visit: Visit, address: str) -> None:
    page = visit()
    page.add_init_script(
        "window.BroadcastChannel = class { constructor() { throw new DOMException('', 'SecurityError'); } };"
    )
    page.goto(address)
    demo = Demo(page)
    demo.make(63)
    expect(strip(demo)).to_have_count(1)
    expect(strip(reopened(demo))).to_have_count(1)


def test_each_choice_of_a_prompt_is_kept_as_itself(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.ask(46, prompt="a {cat|dog}", Pictures=2)
    expect(strip(demo)).to_have_count(4)
    images = demo.page.locator("#history li img").all()
    told = [image.get_attribute("alt") for image in images]
    assert told == [f"a {thing}, seed {seed}, steps 4" for thing in ("cat", "dog") for seed in (46, 47)]
    shown = show(demo, 3, 47)
    demo.button("Use settings").click()
    expect(demo.field("Prompt")).to_have_value("a dog")
    demo.field("Pictures").fill("1")
    demo.generate()
    demo.wait_for_seed(47)
    assert demo.pixels() == [shown]


def test_settings_seed_variation_edges_and_deletion(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.panel.get_by_role("radio", name="1").check()
    made = demo.make(43, prompt="a lion")
    expect(strip(demo)).to_have_count(1)
    demo = reopened(demo)
    expect(demo.page.get_by_text("seed 43 ·")).to_be_visible()
    show(demo, 0, 43)
    demo.button("Use seed").click()
    expect(demo.field("Seed")).to_have_value("43")
    demo.button("Use settings").click()
    expect(demo.field("Prompt")).to_have_value("a lion")
    expect(demo.panel.get_by_role("radio", name="1")).to_be_checked()
    demo.generate()
    demo.wait_for_seed(43)
    assert demo.pixels() == [made]
    demo._before, demo._told = demo.shown(), 43
    demo.button("Another seed").click()
    assert demo.wait_for_drawn_seed() != 43
    expect(demo.page.get_by_text("· 1 step ·")).to_be_visible()
    expect(strip(demo)).to_have_count(3)
    demo.button("Edges from it").click()
    expect(demo.page.get_by_role("tab", name="Canny")).to_have_attribute("aria-selected", "true")
    expect(demo.edges()).to_be_visible()
    assert demo.image(demo.edges()).size == (128, 128)
    demo.button("Delete").click()
    expect(strip(demo)).to_have_count(2)
    expect(demo.button("Delete")).to_be_hidden()
    expect(strip(reopened(demo))).to_have_count(2)


def test_all_as_one_zip(open_demo: Open, tmp_path: Path) -> None:
    demo = Demo(open_demo())
    demo.make(44, Pictures=2)
    pictures = demo.pixels()
    expect(strip(demo)).to_have_count(2)
    with demo.page.expect_download() as download:
        demo.button("All as ZIP").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        assert packed.testzip() is None
        told = json.loads(packed.read("settings.json"))
        assert [settings["seed"] for settings in told] == [44, 45]
        images = [Image.open(io.BytesIO(packed.read(name))) for name in ("1-44.png", "2-45.png")]
    assert [image.tobytes() for image in images] == pictures
    assert json.loads(images[1].info["dmd2"])["seed"] == 45


def test_two_are_compared_with_what_differs(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(45, Pictures=2)
    expect(strip(demo)).to_have_count(2)
    expect(comparison(demo)).to_be_hidden()
    demo.button("Compare").click()
    strip(demo).nth(1).click()
    expect(comparison(demo).get_by_text("Left: seed 45, 4 steps · right: seed 46, 4 steps")).to_be_visible()
    expect(comparison(demo).locator("tbody tr")).to_have_text("Seed4546")
    expect(comparison(demo).locator("img")).to_have_count(2)


_HANDLE_IS_AT = """side => {
  const handle = document.querySelector('#comparison [data-testid=slider]');
  const around = handle.parentElement.getBoundingClientRect();
  return side * (handle.getBoundingClientRect().x - around.x - around.width / 2) > 20;
}"""


def test_keys_move_what_parts_the_compared_two(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(45, Pictures=2)
    demo.button("Compare").click()
    strip(demo).nth(1).click()
    expect(comparison(demo).locator("img")).to_have_count(2)
    for key, side in (("Home", -1), ("End", 1), ("Home", -1)):
        demo.page.get_by_label("range slider for Left to right").press(key)
        demo.page.wait_for_function(_HANDLE_IS_AT, arg=side)
    expect(comparison(demo).locator("img")).to_have_count(2)


def test_one_click_makes_one_step_and_four_of_a_seed_and_shows_both_times(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(47)
    expect(strip(demo)).to_have_count(1)
    demo.button("1 and 4 steps").click()
    table = comparison(demo).locator("table")
    expect(table).to_contain_text("Steps14")
    expect(table).to_contain_text("seconds")
    expect(table).not_to_contain_text("Seed")
    shown = [demo.image(image) for image in comparison(demo).locator("img").all()]
    assert sorted(json.loads(image.info["dmd2"])["steps"] for image in shown) == [1, 4]


Kept = Callable[[Any], Demo]


@pytest.fixture
def kept(visit: Visit, address: str) -> Any:
    """Opens the page in a browser that keeps some history already, which may be anything."""

    def open_page(history: list[Any]) -> Demo:
        page = visit()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        demo = Demo(page)
        page.evaluate("history => window.dmd2.render(history)", history)  # as if it had been kept
        assert errors == []
        return demo

    return open_page


THUMB = "data:image/webp;base64,UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"
GOOD = {"id": "1-2-3", "thumb": THUMB, "file": "/gone.png", "settings": {"prompt": "a cat", "seed": 7, "steps": 4}}


def test_hostile_entries_are_left_out_and_words_stay_words(kept: Kept) -> None:
    odd: list[object] = [
        None, 3, "x", [], {}, GOOD | {"id": '"><script>'}, GOOD | {"thumb": "javascript:alert(1)"},
        GOOD | {"thumb": "https://example.com/x.webp"}, GOOD | {"file": 7}, GOOD | {"settings": None},
        GOOD | {"settings": {"prompt": "x" * 30_000}},
        GOOD | {"settings": {"prompt": "<img src=x onerror=alert(1)>", "seed": 7, "steps": 4}},
    ]  # fmt: skip
    demo = kept(odd)
    expect(strip(demo)).to_have_count(1)
    image = demo.page.locator("#history li img")
    expect(image).to_have_attribute("alt", "<img src=x onerror=alert(1)>, seed 7, steps 4")
    expect(demo.page.locator("#history li *")).to_have_count(2)


def test_more_than_fifty_lose_the_oldest(kept: Kept) -> None:
    demo = kept([GOOD | {"id": str(number)} for number in range(60)])
    expect(strip(demo)).to_have_count(50)


def test_a_picture_that_the_server_has_no_longer_is_made_again(visit: Visit, address: str) -> None:
    page = visit()
    page.goto(address)
    demo = Demo(page)
    made = demo.make(48)
    expect(strip(demo)).to_have_count(1)
    gone = Path(demo.shown().partition("file=")[2])
    gone.unlink()
    demo = reopened(demo)
    strip(demo).click()
    expect(demo.gallery().first).to_have_attribute("src", re.compile("file=.*48-"))
    expect(page.get_by_text("seed 48 ·")).to_be_visible()
    demo.wait_until_idle()
    assert demo.pixels() == [made]
    # It is kept under its new name.
    demo = reopened(demo)
    assert show(demo, 0, 48) == made
