from __future__ import annotations

import json
import math
from typing import Any

import pytest
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.fields import fields_of
from dmd2_demo.generate.request import LARGEST_SEED, RANDOM_SEED, Request
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage
from dmd2_demo.generate.tasks import REQUESTS
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Family
from dmd2_demo.models.parts import Lora, UNet

EMBEDDED = FAMILIES["embedded"]
SDXL = FAMILIES["sdxl"]
SQUARE = Image.new("RGB", (100, 100))


def text(**changes: Any) -> TextToImage:
    values: dict[str, Any] = {"family": EMBEDDED, "prompt": "a cat", "seed": 0}
    return TextToImage(**(values | changes))


def lora(**changes: Any) -> CommunityLora:
    values: dict[str, Any] = {"family": EMBEDDED, "prompt": "a cat", "seed": 0}
    return CommunityLora(**(values | {"base": EMBEDDED.bases[0], "lora_scale": 0.75} | changes))


def canny(**changes: Any) -> CannyGuided:
    values: dict[str, Any] = {"family": EMBEDDED, "prompt": "a cat", "seed": 0, "image": SQUARE}
    return CannyGuided(**(values | changes))


@pytest.mark.parametrize("make", [text, lora, canny])
@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"prompt": " "}, "the prompt is empty"),
        ({"prompt": "x" * 10_001}, "10,001 characters"),
        ({"prompt": "{|a}"}, "One of the choices in braces leaves nothing"),
        ({"seed": -2}, "Seed must be a whole number from -1 to 4294967295"),
        ({"seed": 2**32}, "Seed must be"),
        ({"seed": 0.5}, "Seed must be"),
        ({"seed": math.nan}, "Seed must be"),
        ({"seed": None}, "Seed must be"),
        ({"images": 0}, "Pictures must be a whole number from 1 to 8"),
        ({"images": 9}, "Pictures must be"),
    ],
)
def test_every_kind_refuses(make: Any, bad: dict[str, object], sentence: str) -> None:
    with pytest.raises(DemoError, match=sentence):
        make(**bad)


@pytest.mark.parametrize("make", [text, lora])
@pytest.mark.parametrize("side", ["width", "height"])
@pytest.mark.parametrize("value", [0, -128, 56, 264, 127, 128.5, math.nan, math.inf, None, "wide"])
def test_sizes_off_the_familys_grid_are_refused(make: Any, side: str, value: object) -> None:
    with pytest.raises(DemoError, match=f"^{side.title()} must be a multiple of 8 from 64 to 256.$"):
        make(**{side: value})


@pytest.mark.parametrize("steps", [2, 3])
def test_steps_without_a_unet_are_refused_with_those_that_have_one(steps: int) -> None:
    with pytest.raises(DemoError, match=r"^Steps must be 1 or 4\.$"):
        text(steps=steps)


@pytest.mark.parametrize("steps", [0, 5, 1.5, math.nan, None])
def test_steps_that_are_no_count_are_refused(steps: object) -> None:
    with pytest.raises(DemoError, match=r"^Steps must be a whole number"):
        text(steps=steps)


@pytest.mark.parametrize("scale", [-0.1, 1.6, math.nan, math.inf, "strong", None])
def test_lora_scale_out_of_range_is_refused(scale: object) -> None:
    with pytest.raises(DemoError, match=r"^LoRA scale must be"):
        lora(lora_scale=scale)


@pytest.mark.parametrize(
    "bad",
    [
        {"low_threshold": -1},
        {"high_threshold": 1001},
        {"low_threshold": 10.5},
        {"conditioning_scale": -1},
        {"conditioning_scale": math.nan},
        {"conditioning_scale": 2.1},
        {"guided_steps": 5},
        {"guided_steps": -1},
        {"guided_steps": 1.5},
        {"is_edge_map": "no"},
        {"is_edge_map": 1},
    ],
)
def test_canny_refuses(bad: dict[str, object]) -> None:
    with pytest.raises(
        DemoError,
        match=r"^(Low threshold|High|Conditioning|Guided|The picture is an edge map)[a-z ]* must be",
    ):
        canny(**bad)


def test_unknown_base_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DemoError, match=r"^There is no base called 'nowhere'\. Choose one of: base, fluent, twemoji"):
        EMBEDDED.community("nowhere")


def test_the_step_choice_carries_its_own_schedule() -> None:
    assert text(steps=4).schedule.timesteps == (999, 749, 499, 249)
    assert text(steps=1).schedule.timesteps == (399,)


@pytest.mark.parametrize(("guided", "factor"), [(0, 0), (1, 0.25), (2, 0.5), (3, 0.75), (4, 1)])
def test_guided_steps_are_the_factor_that_guides_as_many(guided: int, factor: float) -> None:
    request = canny(guided_steps=guided)
    assert request.conditioning_factor == factor
    assert int(len(request.schedule) * request.conditioning_factor) == guided


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_text_and_canny_share_all_but_the_adapter(family: Family) -> None:
    width, height = family.sizes.default
    plain = text(family=family, width=width, height=height).spec()
    guided = canny(family=family).spec()
    assert plain.adapter is None
    assert set(guided.parts()) - set(plain.parts()) == {guided.adapter}


def test_four_steps_and_one_share_all_but_the_unet() -> None:
    four, one = text(steps=4).spec(), text(steps=1).spec()
    assert set(one.parts()) - set(four.parts()) == {one.unet}


def test_equal_requests_name_equal_parts_whatever_else_they_ask() -> None:
    assert text().spec() == text(prompt="a dog", seed=7, width=64, images=3).spec()
    assert lora(lora_scale=0.1).spec() == lora(lora_scale=1.5).spec()
    assert lora().spec() != lora(base=EMBEDDED.bases[1]).spec()


@pytest.mark.parametrize(
    ("size", "bucket"),
    [((640, 640), (128, 128)), ((1920, 1080), (160, 96)), ((1080, 1920), (96, 160)), ((4000, 1000), (256, 64))],
)
def test_canny_takes_the_bucket_nearest_to_the_pictures_aspect(size: tuple[int, int], bucket: tuple[int, int]) -> None:
    assert canny(image=Image.new("RGB", size)).size == bucket


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_bucket_can_be_asked_for_and_suits_the_adapter(family: Family) -> None:
    for width, height in family.sizes.buckets:
        assert text(family=family, width=width, height=height).size == (width, height)
        assert width % 16 == height % 16 == 0


def test_picture_seeds_count_up_from_the_seed_and_start_again_after_the_largest() -> None:
    request = text(seed=LARGEST_SEED - 1, images=3)
    assert [request.seed_of(picture) for picture in range(3)] == [LARGEST_SEED - 1, LARGEST_SEED, 0]


@pytest.mark.parametrize(
    "request_", [text(steps=1, seed=5, images=3), lora(lora_scale=0.5, images=3), canny(guided_steps=3, images=3)]
)
def test_settings_survive_json_and_tell_what_was_asked(request_: Request) -> None:
    told = json.loads(json.dumps(request_.parameters(2)))
    assert told == request_.parameters(2)
    assert told["task"] == request_.task
    assert told["seed"] == request_.seed_of(2)
    assert told["timesteps"] == list(request_.schedule.timesteps)
    assert (told["width"], told["height"]) == request_.size
    untold = {"image", "images", "file_format", "settings_inside"} | request_.unused()
    assert set(told) >= set(fields_of(type(request_))) - untold


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_what_nobody_says_is_the_familys_own(family: Family) -> None:
    plain = TextToImage(family=family, prompt="a cat")
    assert (plain.size, plain.steps, plain.images) == (family.sizes.default, 4, 1)
    community = CommunityLora(family=family, prompt="a cat")
    assert (community.base, community.lora_scale) == (family.bases[0], family.bases[0].scale)
    assert CannyGuided(family=family, prompt="a cat", image=SQUARE).guided_steps == family.guided_steps


def test_a_random_seed_is_drawn_once() -> None:
    drawn = [text(seed=RANDOM_SEED) for _ in range(3)]
    assert len({request.seed for request in drawn}) == 3
    assert drawn[0].parameters() == drawn[0].parameters()


def test_a_base_is_named_or_given() -> None:
    assert lora(base="fluent") == lora(base=EMBEDDED.bases[1])


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_variants_need_all_together_every_part_of_the_family(family: Family) -> None:
    sources = {family.base, *(base.source for base in family.bases)}
    parts = {part for kind in REQUESTS for variant in kind.variants(family) for part in variant.spec().parts()}
    unets = {family.unet(len(distilled.schedule)) for distilled in family.distilled}
    unets |= {UNet(base.source) for base in family.bases}
    assert {part for part in parts if isinstance(part, UNet)} == unets
    loras = {Lora(family.lora, base.source) for base in family.bases}
    loras |= {Lora(style.file, source, family.lora) for style in family.styles for source in sources}
    assert {part for part in parts if isinstance(part, Lora)} == loras
    assert {family.adapter, family.vae} <= parts
