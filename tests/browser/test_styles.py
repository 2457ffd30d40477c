"""Styles are picked, their words added by a click, and they stay from tab to tab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect
from safetensors.torch import save_file

from dmd2_demo.generate import edges
from dmd2_demo.open_page import open_page
from dmd2_demo.settings import Settings
from tests.browser.conftest import Open
from tests.browser.demo import Demo
from tests.served import address_of, free_port
from tests.weights.lora_files import ATTENTION, layers, peft
from training.family.members import load_unet

pytestmark = pytest.mark.browser

TOML = """
[[lora]]
name = "ours"
title = "Our own"
licence = "MIT"
triggers = ["our style"]
scale = 0.6
file = "ours.safetensors"
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of its own, with a style to pick."""
    folder: Path = tmp_path_factory.mktemp("loras")
    torch.manual_seed(3)
    tensors, metadata = peft(layers(load_unet(torch.device("cpu")), ATTENTION), {}, {})
    save_file(tensors, folder / "ours.safetensors", metadata)
    (folder / "loras.toml").write_text(TOML)
    edges.detector()
    page = open_page(Settings("embedded", port=free_port(), loras=folder / "loras.toml"))
    yield address_of(page)
    page.close()


def test_a_picked_style_offers_its_words_and_stays_from_tab_to_tab(open_demo: Open) -> None:
    demo = Demo(open_demo())
    page = demo.page
    without = demo.make(5)
    page.get_by_role("button", name=re.compile("^Style LoRAs")).click()
    demo.field("Style").click()
    page.get_by_role("option", name="Our own").click()
    chip = page.get_by_role("button", name="+ our style")
    expect(chip).to_be_visible()
    expect(demo.field("number input for Style scale")).to_have_value("0.6")
    for _ in range(2):  # once, whatever is clicked
        chip.click()
        expect(demo.field("Prompt")).to_have_value("a fox on a blue background, our style")
    assert demo.make(5) != without
    demo.show("LoRA")
    expect(chip).to_be_visible()
    demo.show("Canny")
    expect(chip).to_be_visible()
