"""What a visit costs, counted instead of timed: calls of networks, parts loaded, bytes read."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw

from dmd2_demo.generate.request import Request
from dmd2_demo.progress import silent
from tests.embedded import FAMILY, EmbeddedRuntime, canny, image_to_image, lora, text


@pytest.fixture(scope="module")
def drawing() -> Image.Image:
    image = Image.new("RGB", (320, 320), (40, 60, 80))
    ImageDraw.Draw(image).circle((160, 160), 75, (230, 210, 60))
    return image


class Counted:
    """A runtime whose networks' calls are counted by name."""

    def __init__(self, folder: Path) -> None:
        self.runtime = EmbeddedRuntime.open(folder)
        self.calls: Counter[str] = Counter()
        self._hooked = set[int]()

    def make(self, *requests: Request) -> Counter[str]:
        """What it takes to make them, `load` for each part that is loaded."""
        before = self.runtime.manager.status().loads
        for request in requests:
            with self.runtime.manager.lease(request.spec(), silent) as pipeline:
                self._hook(pipeline.diffusers)
        self.calls.clear()
        for request in requests:
            for _ in self.runtime.studio.generate(request, silent, lambda: False):
                pass
        return +(self.calls + Counter(load=self.runtime.manager.status().loads - before))

    def _hook(self, pipe: Any) -> None:
        networks = {
            "text encoder": pipe.text_encoder,
            "text encoder 2": pipe.text_encoder_2,
            "UNet": pipe.unet,
            "decode": pipe.vae.decoder,
            "encode": pipe.vae.encoder,
        } | ({"adapter": pipe.adapter} if hasattr(pipe, "adapter") else {})
        for name, network in networks.items():
            if id(network) not in self._hooked:
                self._hooked.add(id(network))
                network.register_forward_hook(lambda *_, name=name: self.calls.update([name]))


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return Counted(tmp_path_factory.mktemp("converted"))


def test_a_visit_through_everything_does_no_work_twice(counted: Counted, drawing: Image.Image) -> None:
    prompt = {"text encoder": 1, "text encoder 2": 1}
    assert counted.make(text(steps=4)) == prompt | {"UNet": 4, "decode": 1, "load": 4}
    # Another seed, four pictures: the words are the same.
    assert counted.make(text(steps=4, seed=5, images=4)) == {"UNet": 16, "decode": 4}
    assert counted.make(text(steps=1)) == {"UNet": 1, "decode": 1, "load": 1}
    assert counted.make(canny(drawing)) == {"UNet": 4, "decode": 1, "adapter": 1, "load": 1}
    assert counted.make(image_to_image(drawing, strength=0.5)) == {"UNet": 2, "encode": 1, "decode": 1}
    # The base's own UNet, a way to its weights without a LoRA, and DMD2's LoRA.
    assert counted.make(lora()) == {"UNet": 4, "decode": 1, "load": 3}
    assert counted.make(lora(lora_scale=0.3)) == {"UNet": 4, "decode": 1}
    # Another base has text encoders of its own; all have one schedule.
    other = lora(base=FAMILY.bases[1])
    assert counted.make(other) == prompt | {"UNet": 4, "decode": 1, "load": 4}
    assert counted.make(text(steps=1, tiny_vae=True)) == {"UNet": 1, "decode": 1, "load": 1}
    assert counted.make(text(steps=4, prompt="a dog")) == prompt | {"UNet": 4, "decode": 1}


def test_a_second_visit_loads_and_reads_nothing(counted: Counted, drawing: Image.Image) -> None:
    visit = (
        text(steps=4),
        text(steps=1),
        canny(drawing),
        image_to_image(drawing),
        lora(),
        lora(lora_scale=0.3),
        text(steps=1, tiny_vae=True),
    )
    counted.make(*visit)
    before = bytes_read()
    again = counted.make(*visit)
    read = bytes_read() - before
    assert again == {"UNet": 4 + 1 + 4 + 2 + 4 + 4 + 1, "decode": 7, "encode": 1, "adapter": 1}
    assert read < 100_000  # of what the system tells itself; the smallest part has more


def bytes_read() -> int:
    """By this process, as far as the system tells."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(told["rchar"])


def test_kept_embeddings_make_the_pictures_that_new_ones_make(tmp_path: Path) -> None:
    kept = EmbeddedRuntime.open(tmp_path)
    first = kept.make(text(steps=1)).tobytes()
    kept.make(text(steps=1, prompt="a dog"))
    assert kept.make(text(steps=1)).tobytes() == first
    kept.manager.unload()
    assert kept.make(text(steps=1)).tobytes() == first


def test_unloading_forgets_the_embeddings(tmp_path: Path) -> None:
    counted = Counted(tmp_path)
    counted.make(text(steps=1))
    counted.runtime.manager.unload()
    assert counted.make(text(steps=1))["text encoder"] == 1


def test_a_thousand_random_lora_scales_leave_the_weights_as_a_fresh_load_has_them(tmp_path: Path) -> None:
    runtime = EmbeddedRuntime.open(tmp_path)
    spec = lora().spec()
    chance = random.Random(0)
    with runtime.manager.lease(spec, silent) as pipeline:
        merging = pipeline.merging
        merging.at((0.7,))
        fresh = {name: tensor.clone() for name, tensor in merging.unet.network.state_dict().items()}
        for _ in range(1000):
            merging.at((round(chance.uniform(0, 1.5), 3),))
        merging.at((0.7,))
        after = merging.unet.network.state_dict()
        assert all(torch.equal(after[name], tensor) for name, tensor in fresh.items())
