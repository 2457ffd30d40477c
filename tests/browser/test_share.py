"""The shown picture given away: as a link, a program, a call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import CLIPBOARD, Demo
from tests.visitor import connect

pytestmark = pytest.mark.browser

# Playwright's own waiting takes the promise of a clipboard's text for an answer.
_CLIPBOARD = """async (word) => {
  const start = performance.now();
  for (;;) {
    const text = await navigator.clipboard.readText();
    if (text.includes(word) || performance.now() - start > 60_000) return text;
    await new Promise(requestAnimationFrame);
  }
}"""


def copied(demo: Demo, button: str, word: str) -> str:
    """What that button brings to the clipboard, with that word in it, which is what it shows, too."""
    if not demo.button(button).is_visible():
        demo.page.get_by_role("button", name="Settings and sharing").click()
    demo.page.evaluate("navigator.clipboard.writeText('')")
    demo.button(button).click()
    text = str(demo.page.evaluate(_CLIPBOARD, word))
    assert word in text
    expect(demo.page.locator("#copied")).to_have_text("Copied.")
    expect(demo.page.locator(".cm-content").filter(visible=True)).to_contain_text(text.split("\n", maxsplit=1)[0])
    return text


@pytest.mark.parametrize(
    ("works", "sentence"),
    [(True, "Copied."), (False, "This browser does not let the page copy. Copy it from the box below.")],
)
def test_the_old_way_of_copying_tells_whether_it_worked_and_keeps_the_focus(
    open_demo: Open, works: bool, sentence: str
) -> None:
    demo = Demo(open_demo())
    demo.page.evaluate(
        """works => {
          navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'));
          document.execCommand = () => works;
        }""",
        works,
    )
    demo.page.get_by_role("button", name="Settings and sharing").click()
    demo.button("Copy link").click()
    expect(demo.page.locator("#copied")).to_have_text(sentence)
    expect(demo.page.get_by_role("status").filter(has_text=sentence)).to_be_visible()
    expect(demo.button("Copy link")).to_be_focused()


def test_a_link_brings_the_settings_and_makes_nothing_by_itself(open_demo: Open, address: str) -> None:
    demo = Demo(open_demo(**CLIPBOARD), "LoRA")
    demo.field("Base").click()
    demo.page.get_by_role("option", name="Fluent (3D)").click()
    made = demo.make(61, prompt="a lion & a cat?", **{"number input for LoRA scale": 0.5})
    link = copied(demo, "Copy link", "prompt=")
    assert link.startswith(address)
    assert parse_qs(urlsplit(link).query)["prompt"] == ["a lion & a cat?"]
    leases = connect(address).predict(api_name="/status")["leases"]
    page = open_demo(f"?{urlsplit(link).query}")
    expect(page.get_by_role("tab", name="LoRA")).to_have_attribute("aria-selected", "true")
    other = Demo(page, "LoRA")
    expect(other.field("Prompt")).to_have_value("a lion & a cat?")
    expect(other.field("Base")).to_have_value("Fluent (3D)")
    expect(other.field("number input for LoRA scale")).to_have_value("0.5")
    expect(other.field("Seed")).to_have_value("61")
    page.wait_for_timeout(1000)
    assert connect(address).predict(api_name="/status")["leases"] == leases
    other.generate()
    other.wait_for_seed(61)
    assert other.pixels() == [made]


def test_of_several_pictures_the_opened_one_is_linked(open_demo: Open) -> None:
    demo = Demo(open_demo(**CLIPBOARD))
    demo.make(63, Pictures=2)
    expect(demo.gallery()).to_have_count(2)
    demo.open(1)
    link = copied(demo, "Copy link", "prompt=")
    assert parse_qs(urlsplit(link).query)["seed"] == ["64"]


def test_what_a_link_can_not_have_is_a_sentence_and_the_rest_is_used(open_demo: Open) -> None:
    query = {"prompt": "a fox", "seed": "many", "steps": "1", "width": "7", "height": "<b>", "nothing": "x"}
    page = open_demo("?" + urlencode(query))
    toast = page.get_by_test_id("toast-body")
    for sentence in ("Seed 'many' can't be used here.", "Height '<b>' can't be used here."):
        expect(toast.filter(has_text=sentence).first).to_be_visible()
    demo = Demo(page)
    expect(demo.field("Prompt")).to_have_value("a fox")
    expect(demo.panel.get_by_role("radio", name="1")).to_be_checked()
    assert demo.shows_random()


def test_the_copied_call_and_program_make_the_very_picture(open_demo: Open, tmp_path: Path) -> None:
    demo = Demo(open_demo(**CLIPBOARD))
    demo.panel.get_by_role("radio", name="1").check()
    made = demo.make(62, prompt='a "fox"')
    call, program = copied(demo, "Copy as API call", "predict("), copied(demo, "Copy as Python", "diffusers")
    (tmp_path / "dmd2_demo").symlink_to(Path(__file__).parents[2] / "dmd2_demo")
    (tmp_path / "call.py").write_text(call + "\nprint(gallery[0]['image'])\n")
    (tmp_path / "program.py").write_text(program)
    said = subprocess.run([sys.executable, "call.py"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, check=True, timeout=300)
    for path in (said.stdout.split("\n")[-2], tmp_path / "62.png"):
        with Image.open(path) as image:
            assert image.tobytes() == made
