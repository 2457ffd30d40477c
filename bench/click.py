"""From a click, and from a letter typed, to a painted picture in Chromium, beside what that must take at least.

python -m bench.click [--pairs 20] [--chromium /usr/bin/chromium]

One run, one process for the server, in turn: a click on Generate; a click on a button of the same page whose handler
only hands over a picture that lies there; a diffusers pipeline's own call on the same parts. What the page costs by its
own doing is the first against the sum of the others. The browser tells the times, from the click to the frame after the
new picture was decoded. A letter is typed with Live on; beside it stands what a letter takes until an empty handler's
answer is painted. Last, a contact sheet of 16 pictures.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import gradio as gr
from playwright.sync_api import Page, sync_playwright

from bench.page import bare
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.runtime import Runtime, build_runtime
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.page import layout
from dmd2_demo.page.context import PageContext
from dmd2_demo.page.theme import CSS, THEME
from dmd2_demo.page.visitors import Limits
from dmd2_demo.process import keep_freed_memory
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings

FAMILY = FAMILIES["embedded"]

# Clicks, and gives the milliseconds until another picture than before is painted.
_CLICK_TO_PAINT = """(selector) => new Promise((done) => {
  const shown = () => document.querySelector('.pictures .grid-container img');
  const before = shown()?.src, start = performance.now();
  const look = () => {
    const image = shown();
    if (!image || image.src === before) return requestAnimationFrame(look);
    image.decode().then(() => requestAnimationFrame(() => done(performance.now() - start)), () => look());
  };
  document.querySelector(selector).click();
  look();
})"""


# Clicks, and gives the milliseconds until the line under the sheet is another and all its pictures are there.
_CLICK_TO_SHEET = """() => new Promise((done) => {
  const told = () => document.querySelector('#sheet .prose.status')?.innerText ?? '';
  const before = told(), start = performance.now();
  const look = () => {
    const images = [...document.querySelectorAll('#sheet .grid-container img')];
    const made = told().startsWith('16 pictures') && told() !== before;
    if (!made || images.length < 16 || !images.every((one) => one.complete)) return requestAnimationFrame(look);
    Promise.all(images.map((one) => one.decode())).then(
      () => requestAnimationFrame(() => done(performance.now() - start)));
  };
  [...document.querySelectorAll('button')].find((one) => one.innerText === 'Make the sheet').click();
  look();
})"""


# Writes another prompt as typing does, and gives the milliseconds until something else is painted at `selector`.
_LETTER_TO_PAINT = """([field, selector, text]) => new Promise((done) => {
  const shown = () => document.querySelector(selector)?.outerHTML;
  const box = document.querySelector(field), before = shown(), start = performance.now();
  const look = () => shown() === before ? requestAnimationFrame(look)
    : requestAnimationFrame(() => done(performance.now() - start));
  Object.getOwnPropertyDescriptor(box.constructor.prototype, 'value').set.call(box, text);
  box.dispatchEvent(new InputEvent('input', { bubbles: true, data: text.at(-1) }));
  look();
})"""


@contextmanager
def opened(runtime: Runtime, pictures: list[Path]) -> Iterator[str]:
    """The page's address. A hidden button more hands over one of `pictures` at each click."""
    context = PageContext(
        device="CPU",
        status=lambda: {"resident": []},
        unload=None,
        downloads=lambda _: "",
        limits=Limits(Settings.queue_per_visitor, Settings.queue_per_address),
    )
    page = layout.build(runtime.studio, context)
    next_picture = itertools.cycle(pictures)

    def hand_over() -> list[str]:
        return [str(next(next_picture))]

    with page:
        gallery = next(block for block in page.blocks.values() if "pictures" in getattr(block, "elem_classes", ()))
        gr.Button("Nothing", elem_id="nothing").click(hand_over, None, gallery)
        typed, answered = gr.Textbox(elem_id="typed"), gr.HTML(elem_id="answered")
        typed.change(lambda text: f"<b>{text}</b>", typed, answered, queue=False, show_progress="hidden")
    page.queue()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, theme=THEME, css=CSS, ssr_mode=False)
    try:
        yield address
    finally:
        page.close()


def measure(page: Page, runtime: Runtime, steps: int, pairs: int) -> None:
    """Prints a row for pictures of so many steps."""
    page.get_by_role("radio", name=str(steps)).check()
    clicks, nothings, calls = list[float](), list[float](), list[float]()
    for run in range(pairs + 2):
        times = (
            page.evaluate(_CLICK_TO_PAINT, ".actions button.primary"),
            page.evaluate(_CLICK_TO_PAINT, "#nothing"),
            1000 * bare(runtime, FAMILY, steps),
        )
        page.wait_for_timeout(100)  # what follows a picture is over
        if run >= 2:  # the first ones load and warm up
            for kept, took in zip((clicks, nothings, calls), times, strict=True):
                kept.append(took)
    ratio = median(click / (nothing + call) for click, nothing, call in zip(clicks, nothings, calls, strict=True))
    told = " | ".join(f"{median(times):.0f} ({quantiles(times, n=20)[-1]:.0f})" for times in (clicks, nothings, calls))
    print(f"| {steps} | {told} | {ratio:.2f} |", flush=True)


def measure_live(page: Page, pairs: int) -> None:
    """Prints a row for letters that are typed with Live on."""
    page.get_by_label("Seed", exact=True).fill("7")
    page.get_by_label("Live", exact=True).check()
    page.locator("#live-picture img").wait_for()
    letters, nothings = list[float](), list[float]()
    for run in range(pairs + 2):
        text = f"a cat number {run}"
        times = (
            page.evaluate(_LETTER_TO_PAINT, ["#prompt textarea", "#live-picture img", text]),
            page.evaluate(_LETTER_TO_PAINT, ["#typed textarea, #typed input", "#answered b", text]),
        )
        page.wait_for_timeout(100)
        if run >= 2:
            for kept, took in zip((letters, nothings), times, strict=True):
                kept.append(took)
    beyond = [letter - nothing for letter, nothing in zip(letters, nothings, strict=True)]
    told = " | ".join(
        f"{median(times):.0f} ({quantiles(times, n=20)[-1]:.0f})" for times in (letters, nothings, beyond)
    )
    print("\n| letter to paint | an empty handler | beyond it |\n|---|---|---|")
    print(f"| {told} |", flush=True)


def measure_sheet(page: Page, runs: int) -> None:
    """Prints how long a contact sheet of 16 pictures of one step takes, from the click until all are shown."""
    page.get_by_label("Prompt", exact=True).fill(FAMILY.examples[0].prompt)
    page.locator("[role=tabpanel]:visible").get_by_role("radio", name="1").check()
    page.get_by_role("button", name="Contact sheet").first.click()
    page.get_by_label("Values across", exact=True).fill("1-16")
    milliseconds = [float(page.evaluate(_CLICK_TO_SHEET)) for _ in range(runs + 1)][1:]
    print("\n| click to a sheet of 16 pictures of one step |\n|---|")
    print(f"| {median(milliseconds):.0f} ({max(milliseconds):.0f} at most) |", flush=True)


def main() -> None:
    """Prints a table: medians and 95th percentiles in ms, and the median ratio of a run's own three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM") or shutil.which("chromium"))
    chosen = parser.parse_args()
    keep_freed_memory()  # as app.py does
    runtime = build_runtime(FAMILY, Settings(family=FAMILY.name))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        pictures = [
            picture.save(Path(folder))
            for picture in runtime.studio.generate(
                TextToImage(family=FAMILY, prompt=FAMILY.examples[0].prompt, seed=0, images=8), silent, lambda: False
            )
        ]
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=["--no-sandbox", "--disable-gpu"])
        with opened(runtime, pictures) as address:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(address)
            page.get_by_label("Prompt", exact=True).fill(FAMILY.examples[0].prompt)
            print("| steps | click to paint | the same page, nothing made | bare pipeline call | ratio |")
            print("|---|---|---|---|---|", flush=True)
            for steps in (1, 4):
                measure(page, runtime, steps, chosen.pairs)
            measure_live(page, chosen.pairs)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(address)
            measure_sheet(page, chosen.pairs // 4)
        browser.close()


if __name__ == "__main__":
    main()
