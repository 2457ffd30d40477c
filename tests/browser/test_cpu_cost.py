"""SDXL's page without a GPU says what a picture takes: memory before the first one, time after it.

A local hub serves the embedded family's weights under the published names, so that pictures come within seconds.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.sources import HubRepo
from tests.browser.conftest import Open
from tests.browser.demo import Demo
from tests.local_hub import LocalHub
from tests.served import ROOT, served

pytestmark = pytest.mark.browser

EMBEDDED = ROOT / "dmd2_demo" / "embedded"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    bases = [base.source.id for base in FAMILIES["sdxl"].bases if isinstance(base.source, HubRepo)]
    repos = dict.fromkeys(bases, EMBEDDED / "base") | {
        "tianweiy/DMD2": EMBEDDED / "dmd2",
        "madebyollin/sdxl-vae-fp16-fix": EMBEDDED / "base" / "vae",
        "madebyollin/taesdxl": EMBEDDED / "taesd",
    }
    with LocalHub(repos) as hub:
        environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_TOKEN": ""}
        command = [sys.executable, "app.py", "--family", "sdxl", "--precision", "float32"]
        page, address = served(command, environment, folder / "log")
        try:
            yield f"{address}/"
        finally:
            page.terminate()
            page.wait(30)


def test_memory_is_told_before_the_first_picture_and_its_time_after_it(open_demo: Open) -> None:
    demo = Demo(open_demo())
    line = demo.panel.get_by_text("On this CPU, in float32, 512 × 512 takes about 15 GB")
    expect(line).to_be_visible()
    expect(line).to_contain_text("is measured with the first")
    demo.panel.get_by_label("1", exact=True).check()
    demo.page.get_by_text("More", exact=True).first.click()
    demo.field("Tiny VAE").check()
    expect(demo.panel.get_by_text("512 × 512 takes about 14 GB")).to_be_visible()
    demo.make(seed=3)
    expect(demo.panel.get_by_text(re.compile(r"A picture like this took [\d.]+ s"))).to_be_visible()
    demo.show("LoRA")
    last = re.compile(r"takes about 15 GB .* The last picture \(512 × 512 · 1 step · tiny VAE\) took [\d.]+ s")
    expect(demo.panel.get_by_text(last)).to_be_visible()
