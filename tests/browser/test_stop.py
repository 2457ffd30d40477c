"""Stop, errors, and what they leave alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.demo import Demo
from tests.visitor import connect

pytestmark = pytest.mark.browser

Leases = Callable[[], int]


@pytest.fixture
def leases(address: str) -> Leases:
    """How many pictures were begun since the page was opened."""
    client = connect(address)
    return lambda: int(client.predict(api_name="/status")["leases"])


def ask_for_long(demo: Demo, seed: int) -> None:
    """Eight pictures of the largest size."""
    demo.field("Size").click()
    demo.page.get_by_role("option", name="Own size").click()
    demo.ask(seed, Pictures=8, Width=256, Height=256)
    expect(demo.step("Picture . of 8, step [1-4] of 4")).to_be_visible()


def test_stop_ends_a_running_request_and_the_one_behind_it_gets_its_picture(open_demo: Open, leases: Leases) -> None:
    slow, other = Demo(open_demo()), Demo(open_demo())
    before = leases()
    ask_for_long(slow, 1)
    other.ask(2)
    slow.button("Stop").click()
    other.wait_for_seed(2)
    slow.wait_until_idle()
    assert leases() - before < 9
    assert len(other.pixels()) == 1
    slow.make(3, Pictures=1)


# Once in some twenty runs the pictures came without their line; why is not known. What fails twice is broken.
@pytest.mark.flaky(reruns=1, only_rerun=["^AssertionError: Locator expected to be visible"])
def test_what_was_made_before_stop_is_told_and_kept(open_demo: Open) -> None:
    demo = Demo(open_demo())
    ask_for_long(demo, 1)
    expect(demo.step("Picture [3-7] of 8, step [1-4] of 4")).to_be_visible()
    demo.button("Stop").click()
    demo.wait_until_idle()
    expect(demo.page.get_by_text("seed 1 · 4 steps · 256 × 256")).to_be_visible()
    made = demo.gallery().count()
    assert 2 <= made < 8
    kept = demo.page.locator("#history li")
    expect(kept).to_have_count(made)
    demo.field("Seed").fill("-2")
    demo.button("Generate").click()
    expect(demo.page.get_by_test_id("toast-body")).to_contain_text("Seed must be")
    expect(kept).to_have_count(made)


def test_escape_that_closes_a_picture_or_a_list_stops_nothing(open_demo: Open) -> None:
    demo = Demo(open_demo())
    ask_for_long(demo, 1)
    first = demo.page.locator(".pictures .grid-container button").first
    expect(demo.step("Picture [2-7] of 8")).to_be_visible()
    first.click()
    expect(demo.page.locator(".pictures .preview")).to_be_visible()
    demo.page.keyboard.press("Escape")
    demo.field("Size").click()
    demo.page.keyboard.press("Escape")
    demo.wait_for_seed(1)
    assert len(demo.pixels()) == 8
    demo.ask(2)
    # While nothing of it is made, the eight before stay.
    expect(demo.step("Picture [2-7] of 8")).to_be_visible()
    demo.field("Prompt").press("Escape")
    demo.wait_until_idle()
    assert len(demo.pixels()) < 8


def test_another_visitors_picture_comes_between_those_of_a_long_request(open_demo: Open, leases: Leases) -> None:
    slow, other = Demo(open_demo()), Demo(open_demo())
    slow.make(1)
    before = leases()
    ask_for_long(slow, 2)
    other.ask(3)
    other.wait_for_seed(3)
    assert leases() - before < 8
    slow.wait_for_seed(2)
    assert len(slow.pixels()) == 8
    assert len(other.pixels()) == 1


def test_progress_is_not_flashed_for_what_comes_at_once(open_demo: Open) -> None:
    demo = Demo(open_demo())
    demo.make(3)
    seen = demo.page.evaluate("""() => new Promise((done) => {
      const seen = [];
      const asked = performance.now();
      const look = () => {
        const tracker = document.querySelector('.pictures [data-testid="status-tracker"]:not(.hide)');
        // By the clock of what hides it, not the page's: a busy machine draws few frames.
        const hides = tracker?.getAnimations()[0];
        if (hides?.currentTime > 300 || (seen.length && !hides) || performance.now() - asked > 5000) return done(seen);
        if (tracker) seen.push(getComputedStyle(tracker).visibility);
        requestAnimationFrame(look);
      };
      document.querySelector('.actions button.primary').click();
      look();
    })""")
    assert set(seen) <= {"hidden"}
    demo.wait_until_idle()
    ask_for_long(demo, 4)  # sees it


def test_error_is_a_toast_with_one_sentence_and_loses_nothing(open_demo: Open) -> None:
    demo = Demo(open_demo())
    first = demo.make(7)
    demo.field("Seed").fill("-2")
    demo.button("Generate").click()
    toast = demo.page.get_by_test_id("toast-body")
    expect(toast).to_contain_text("Seed must be a whole number from -1 to 4294967295.")
    expect(demo.field("Prompt")).to_have_value("a fox on a blue background")
    demo.page.get_by_test_id("toast-close").click()
    assert demo.make(7) == first


def test_empty_prompt_is_told(open_demo: Open) -> None:
    demo = Demo(open_demo())
    expect(demo.field("Prompt")).not_to_have_value("")
    demo.field("Prompt").fill("")
    demo.button("Generate").click()
    expect(demo.page.get_by_test_id("toast-body")).to_contain_text("the prompt is empty")
