"""Every tab's picture is the picture of the model card's own recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bench import card
from dmd2_demo.models.family import CommunityBase
from dmd2_demo.models.sources import Folder, SingleFile
from tests import recipes
from tests.embedded import FAMILY, PROMPT, EmbeddedRuntime, canny, image_to_image, lora, text

BASES = [pytest.param(base, id=base.name) for base in FAMILY.bases]


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedRuntime:
    return EmbeddedRuntime.open(tmp_path_factory.mktemp("converted"))


@pytest.fixture(scope="module")
def drawing() -> Image.Image:
    """Something with edges, not square."""
    image = Image.new("RGB", (640, 480), (40, 60, 80))
    ImageDraw.Draw(image).circle((320, 240), 150, (230, 210, 60))
    return image


def difference(one: Image.Image, two: Image.Image) -> int:
    """The largest, of 255."""
    assert one.size == two.size
    return int(np.abs(np.asarray(one, int) - np.asarray(two, int)).max())


def path_of(base: CommunityBase) -> Path:
    assert isinstance(base.source, Folder | SingleFile)
    return base.source.path


@pytest.mark.parametrize("steps", [1, 4])
def test_text_to_image_is_the_cards_picture_at_every_size(setup: EmbeddedRuntime, steps: int) -> None:
    recipe = recipes.CARD.text_to_image(steps)
    for seed, (width, height) in enumerate([(128, 128), (160, 96), (72, 256)]):
        ours = setup.make(text(steps=steps, seed=seed, width=width, height=height))
        theirs = card.picture(recipe, PROMPT, seed, steps, width=width, height=height)
        assert difference(ours, theirs) == 0


@pytest.mark.parametrize(("scale", "guided", "factor"), [(0.8, 2, 0.5), (1.0, 4, 1.0), (0.6, 0, 0.0)])
def test_canny_is_the_cards_picture(
    setup: EmbeddedRuntime, drawing: Image.Image, scale: float, guided: int, factor: float
) -> None:
    request = canny(drawing, seed=3, conditioning_scale=scale, guided_steps=guided)
    found = request.edges()
    assert found
    theirs = card.picture(
        recipes.CARD.canny(),
        PROMPT,
        3,
        image=found.image,
        adapter_conditioning_scale=scale,
        adapter_conditioning_factor=factor,
    )
    assert difference(setup.make(request), theirs) == 0


def test_edges_change_the_picture_and_no_guided_step_leaves_it_as_text_makes_it(
    setup: EmbeddedRuntime, drawing: Image.Image
) -> None:
    width, height = canny(drawing).size
    plain = setup.make(text(seed=3, width=width, height=height))
    assert difference(setup.make(canny(drawing, seed=3, guided_steps=0)), plain) == 0
    assert difference(setup.make(canny(drawing, seed=3)), plain) > 0


@pytest.mark.parametrize(("strength", "timesteps"), [(0.75, [749, 499, 249]), (0.5, [499, 249]), (0.25, [249])])
def test_image_to_image_is_the_picture_of_diffusers_own_pipeline(
    setup: EmbeddedRuntime, strength: float, timesteps: list[int]
) -> None:
    pipe = recipes.image_to_image()
    for seed, (width, height) in enumerate([(128, 128), (160, 96), (256, 64)]):
        shown = setup.make(text(steps=1, seed=seed, width=width, height=height))
        ours = setup.make(image_to_image(shown, prompt="a fox", strength=strength, seed=seed + 7))
        theirs = recipes.from_picture(pipe, "a fox", seed + 7, shown, timesteps)
        assert difference(ours, theirs) == 0
        assert difference(ours, shown) > 0


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_lora_at_any_scale_is_within_one_level_of_a_fresh_load_at_it(
    setup: EmbeddedRuntime, base: CommunityBase, scale: float
) -> None:
    theirs = card.picture(recipes.lora(path_of(base), scale), PROMPT, 5, width=128, height=128)
    assert difference(setup.make(lora(base=base, lora_scale=scale, seed=5)), theirs) <= 1


@pytest.mark.parametrize("base", BASES)
def test_lora_at_scale_0_is_the_bare_base(setup: EmbeddedRuntime, base: CommunityBase) -> None:
    setup.make(lora(base=base, lora_scale=1.5))
    theirs = card.picture(recipes.community(path_of(base)), PROMPT, 5, width=128, height=128)
    assert difference(setup.make(lora(base=base, lora_scale=0, seed=5)), theirs) == 0


@pytest.mark.parametrize("base", BASES)
def test_slider_there_and_back_gives_the_same_pixels_and_reads_nothing_from_disk(
    setup: EmbeddedRuntime, base: CommunityBase
) -> None:
    first = setup.make(lora(base=base, lora_scale=0.75))
    loads = setup.manager.status().loads
    others = [setup.make(lora(base=base, lora_scale=scale)) for scale in (1.5, 0, 0.2, 1)]
    assert setup.make(lora(base=base, lora_scale=0.75)).tobytes() == first.tobytes()
    assert setup.manager.status().loads == loads
    assert all(difference(first, other) > 0 for other in others)


def test_each_base_makes_its_own_picture(setup: EmbeddedRuntime) -> None:
    pictures = {setup.make(lora(base=base)).tobytes() for base in FAMILY.bases}
    assert len(pictures) == len(FAMILY.bases)


def test_four_steps_to_canny_loads_the_adapter_alone_and_to_one_step_the_unet_alone(
    tmp_path: Path, drawing: Image.Image
) -> None:
    setup = EmbeddedRuntime.open(tmp_path)
    setup.make(text(steps=4))
    before = setup.manager.status().loads
    setup.make(canny(drawing))
    assert setup.manager.status().loads == before + 1
    setup.make(text(steps=1))
    assert setup.manager.status().loads == before + 2
