"""The page without a mouse, without colours and without eyes: axe finds nothing serious, and keys reach everything."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
TABS = ["Text to image", "LoRA", "Canny", "Image to image"]
VIEWS = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}

GRADIOS_OWN = {
    # An empty image's frame has a label and no role; nothing is in it, and no look can be handed to it.
    ("aria-prohibited-attr", 'aria-label="Empty value"'),
    # A message's head is a button with the button that closes it inside.
    ("nested-interactive", 'class="toast-header'),
}

_REACHED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  window.reached ??= [];  // elements, not their places among all: a page that still opens puts others before them
  if (!window.reached.includes(one)) window.reached.push(one);
  return {
    place: window.reached.indexOf(one),
    name: one.getAttribute('aria-label') || one.labels?.[0]?.textContent.trim() || one.textContent.trim(),
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.height > 0,
    inputs: one.matches('input, textarea'),
  };
}"""


def open_all(page: Page) -> None:
    """Every accordion that is in sight."""
    for accordion in page.locator("button.label-wrap:visible").all():
        if "open" not in (accordion.get_attribute("class") or "").split():
            accordion.click()


def findings(page: Page) -> list[str]:
    """What axe calls serious or critical, but for what is Gradio's own."""
    report: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{found['id']}: {node['html']} {node['failureSummary']}"
        for found in report["violations"]
        if found["impact"] in {"serious", "critical"}
        for node in found["nodes"]
        if not any(rule == found["id"] and mark in node["html"] for rule, mark in GRADIOS_OWN)
    ]


@pytest.mark.parametrize(("scheme", "view"), [("light", "desk"), ("dark", "phone")])
def test_axe_finds_nothing_serious_in_any_tab(open_demo: Open, scheme: str, view: str) -> None:
    page = open_demo(color_scheme=scheme, viewport=VIEWS[view])
    demo = Demo(page)
    page.add_script_tag(path=AXE)
    for tab in TABS:
        demo.show(tab)
        open_all(page)
        page.wait_for_timeout(500)  # until what opens is open
        assert findings(page) == []


def test_axe_finds_nothing_serious_beside_a_sheet_and_an_error(open_demo: Open) -> None:
    page = open_demo()
    demo = Demo(page)
    page.get_by_role("button", name="Contact sheet").first.click()
    demo.button("Make the sheet").click()
    expect(page.get_by_text("4 pictures ·")).to_be_visible()
    page.add_script_tag(path=AXE)
    assert findings(page) == []
    demo.field("Prompt").fill("")
    demo.button("Generate").click()
    expect(page.get_by_test_id("toast-body")).to_be_visible()
    page.wait_for_timeout(1000)  # it fades in
    assert findings(page) == []


@pytest.mark.parametrize("tab", TABS)
def test_keys_reach_everything_in_sight_and_show_where_they_are(open_demo: Open, tab: str) -> None:
    page = open_demo()
    Demo(page, tab)
    reached: dict[int, dict[str, Any]] = {}
    for _ in range(150):
        page.keyboard.press("Tab")
        one = page.evaluate(_REACHED)
        if one is None:  # behind the last comes the first
            continue
        if one["place"] in reached:
            break
        reached[one["place"]] = one
    assert all(one["seen"] for one in reached.values())
    assert [one["name"] for one in reached.values() if not one["ring"]] == []
    assert [one for one in reached.values() if not one["name"] and not one["inputs"]] == []
    names = " | ".join(one["name"] for one in reached.values())
    for title in ("Generate", "Stop", *TABS, "Seed", "Random", "Reuse", "More", "Contact sheet", "Loaded models"):
        assert title in names
    if tab == "Text to image":
        assert "a rocket on a black background" in names  # an example, by what it shows


def test_keys_alone_choose_a_tab_and_an_example(open_demo: Open) -> None:
    page = open_demo()
    demo = Demo(page)
    page.get_by_role("tab", name="LoRA").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="LoRA")).to_have_attribute("aria-selected", "true")
    example = demo.examples().first
    expect(example).to_have_attribute("aria-label", re.compile("cat"))
    example.focus()
    page.keyboard.press("Enter")
    expect(demo.field("Prompt")).to_have_value(re.compile("cat"))


def test_nothing_moves_where_that_is_not_wanted(open_demo: Open) -> None:
    page = open_demo(reduced_motion="reduce")
    Demo(page)
    longest = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll('*')].flatMap((one) => {
          const style = getComputedStyle(one);
          return [style.transitionDuration, style.animationDuration].join(',').split(',').map(parseFloat);
        }))"""
    )
    assert longest < 0.01
