"""The page's endpoints, as a stranger's program uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gradio_client.exceptions import AppError
from PIL import Image

from dmd2_demo.generate.request import LARGEST_SEED
from tests.embedded import FAMILY
from tests.visitor import Visitor, connect

TEXT, LORA, CANNY, FROM_IMAGE = "/text_to_image", "/lora", "/canny", "/image_to_image"
SHARED = {
    "seed": -1,
    "images": 1,
    "file_format": "png",
    "settings_inside": True,
    "tiny_vae": False,
    "plain_prompt": False,
    **dict.fromkeys(("style", "style_2", "style_3"), ""),
    **dict.fromkeys(("style_scale", "style_2_scale", "style_3_scale"), 0.8),
}
FREELY_SIZED = {**SHARED, "width": 128, "height": 128}
DEFAULTS = {
    TEXT: {"steps": 4, **FREELY_SIZED},
    LORA: {"base": "base", "lora_scale": 1.0, **FREELY_SIZED},
    CANNY: {
        "low_threshold": 100,
        "high_threshold": 200,
        "conditioning_scale": 0.8,
        "guided_steps": 4,
        "is_edge_map": False,
        **SHARED,
    },
    FROM_IMAGE: {"strength": 0.5, "upscale": 1.0, "steps": 4, **SHARED},
    "/inspect": {},
    "/status": {},
}
DEFAULTS["/contact_sheet"] = {
    **{name: value for endpoint in (TEXT, LORA, CANNY, FROM_IMAGE) for name, value in DEFAULTS[endpoint].items()},
    "task": "text_to_image",
    "x_axis": "seed",
    "x_values": "1-4",
    "y_axis": "none",
    "y_values": "",
    "image": None,
}
del DEFAULTS["/contact_sheet"]["images"]
WITHOUT_DEFAULT = {
    TEXT: ["prompt"],
    LORA: ["prompt"],
    CANNY: ["prompt", "image"],
    FROM_IMAGE: ["prompt", "image"],
    "/contact_sheet": ["prompt"],
    "/inspect": ["image"],
    "/status": [],
}
ENDPOINTS = pytest.mark.parametrize("endpoint", [TEXT, LORA, CANNY, FROM_IMAGE])


@pytest.fixture
def visitor(address: str, tmp_path: Path) -> Visitor:
    return Visitor(address, tmp_path)


def test_endpoints_have_the_names_and_defaults_of_the_field(visitor: Visitor) -> None:
    described = visitor.client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    assert set(described) == set(DEFAULTS)
    for endpoint, description in described.items():
        parameters = description["parameters"]
        given = {p["parameter_name"]: p["parameter_default"] for p in parameters if p["parameter_has_default"]}
        assert given == DEFAULTS[endpoint]
        needed = [p["parameter_name"] for p in parameters if not p["parameter_has_default"]]
        assert needed == WITHOUT_DEFAULT[endpoint]


def test_a_prompt_is_enough(address: str, tmp_path: Path) -> None:
    client = connect(address, download_files=tmp_path)
    gallery, seed, settings = client.predict(prompt="a cat", api_name=TEXT)
    with Image.open(gallery[0]["image"]) as image:
        assert image.size == FAMILY.sizes.default
    assert 0 <= seed <= LARGEST_SEED
    assert settings["prompt"] == "a cat"


@ENDPOINTS
def test_answer_is_gallery_seed_and_settings(visitor: Visitor, endpoint: str) -> None:
    answer = visitor.ask(endpoint, seed=11, images=2)
    assert [picture.name.partition("-")[0] for picture in answer.paths] == ["11", "12"]
    assert answer.seed == answer.settings["seed"] == 11
    assert answer.settings["images"] == 2
    assert answer.settings["timesteps"] == ([499, 249] if endpoint == FROM_IMAGE else [999, 749, 499, 249])
    assert answer.settings["seconds"] > 0
    assert answer.settings["notices"] == []


@ENDPOINTS
def test_pictures_travel_as_png_with_all_settings_inside(visitor: Visitor, endpoint: str) -> None:
    answer = visitor.ask(endpoint, seed=21, images=2)
    for i, picture in enumerate(answer.pictures):
        assert picture.format == "PNG"
        inside = json.loads(picture.info["dmd2"])
        assert inside == {**inside, **{name: answer.settings[name] for name in inside}, "seed": 21 + i}
        assert picture.info["parameters"].startswith(answer.settings["prompt"])


@ENDPOINTS
def test_picture_i_of_a_batch_is_the_picture_of_seed_plus_i(visitor: Visitor, endpoint: str) -> None:
    batch = visitor.ask(endpoint, seed=LARGEST_SEED - 1, images=3)
    alone = [visitor.ask(endpoint, seed=seed) for seed in (LARGEST_SEED - 1, LARGEST_SEED, 0)]
    assert batch.pixels == [answer.pixels[0] for answer in alone]
    assert len(set(batch.pixels)) == 3


@ENDPOINTS
def test_randomized_seed_is_told_and_makes_the_picture_again(visitor: Visitor, endpoint: str) -> None:
    drawn = [visitor.ask(endpoint, seed=-1) for _ in range(2)]
    assert drawn[0].seed != drawn[1].seed
    assert visitor.ask(endpoint, seed=drawn[0].seed).pixels == drawn[0].pixels


def test_one_step_and_own_sizes_are_taken(visitor: Visitor) -> None:
    answer = visitor.ask(TEXT, steps="1", width=256, height=72)
    assert answer.settings["timesteps"] == [399]
    assert answer.pictures[0].size == (256, 72)


def test_one_step_from_a_picture_is_a_sentence(visitor: Visitor) -> None:
    with pytest.raises(AppError, match=r"A one-step model can't start from a picture"):
        visitor.ask(FROM_IMAGE, steps=1)


def test_refine_above_what_the_family_does_well_is_a_sentence(visitor: Visitor) -> None:
    with pytest.raises(AppError, match=r"larger than these models do well"):
        visitor.ask(FROM_IMAGE, upscale=1.5)


@pytest.mark.parametrize("base", [base.name for base in FAMILY.bases])
def test_every_base_makes_pictures(visitor: Visitor, base: str) -> None:
    assert visitor.ask(LORA, base=base, lora_scale=0.5).settings["base"] == base


def test_status_tells_what_is_loaded_and_how_often(visitor: Visitor) -> None:
    visitor.ask(TEXT)
    before = visitor.client.predict(api_name="/status")
    visitor.ask(CANNY)
    visitor.ask(TEXT)
    status = visitor.client.predict(api_name="/status")
    assert (status["family"], status["device"]) == ("embedded", before["device"])
    assert {"UNet", "text encoders", "VAE", "adapter"} <= {part["part"] for part in status["resident"]}
    assert all(part["bytes"] > 0 for part in status["resident"] if part["part"] != "scheduler")
    assert status["leases"] == before["leases"] + 2
    assert status["loads"] <= before["loads"] + 1


@pytest.mark.parametrize("plain", [False, True])
def test_the_longest_prompt_is_drawn_and_says_what_was_cut_off(visitor: Visitor, plain: bool) -> None:
    longest = ("a fox on a blue background " * 400)[:10_000]
    notice = visitor.ask(TEXT, prompt=longest, plain_prompt=plain, steps=1).settings["notices"][0]
    assert notice.startswith("The prompt is longer than the model reads; this was left out: “")
    assert len(notice) < 150


def test_words_the_family_never_saw_are_told(visitor: Visitor) -> None:
    assert visitor.ask(TEXT, prompt="a zebra and a cat").settings["notices"] == [
        "This small family doesn't know: zebra."
    ]
