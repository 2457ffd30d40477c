from __future__ import annotations

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.generate import axis
from dmd2_demo.generate.request import LARGEST_SEED, Request
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage
from dmd2_demo.generate.tasks import REQUESTS
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Family
from tests.embedded import FAMILY


def read(request: type[Request], name: str, text: str, most: int = 20) -> tuple[object, ...]:
    return axis.read(request, name, text, FAMILY, most, lambda value: value).values


def test_axes_follow_from_the_fields() -> None:
    found = {request.task: set(axis.axes_of(request, FAMILY)) for request in REQUESTS}
    styles = {"style", "style_scale", "style_2", "style_2_scale", "style_3", "style_3_scale"}
    assert all(styles <= names for names in found.values())
    assert {"seed", "steps"} <= found["text_to_image"]
    assert {"seed", "base", "lora_scale"} <= found["lora"]
    assert {"seed", "low_threshold", "high_threshold", "conditioning_scale", "guided_steps"} <= found["canny"]
    assert {"seed", "strength"} <= found["image_to_image"]
    assert not {"prompt", "width", "height", "images", "image", "file_format", "upscale"} & set().union(*found.values())


@pytest.mark.parametrize("most", [4, 9, 100])
@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda one: one.name)
@pytest.mark.parametrize("request_class", REQUESTS, ids=lambda one: one.task)
def test_what_is_suggested_for_an_axis_can_be_used(request_class: type[Request], family: Family, most: int) -> None:
    for name in axis.axes_of(request_class, family):
        text = axis.suggested(request_class, name, family, most)
        assert len(axis.read(request_class, name, text, family, most, lambda value: value).values) > 1


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.5", (0.5,)),
        ("0, 0.25 ,1", (0, 0.25, 1)),
        ("1, 0.5, 1", (1, 0.5)),
        ("0-1.5 (+0.5)", (0, 0.5, 1, 1.5)),
        ("0-1 [5]", (0, 0.25, 0.5, 0.75, 1)),
        ("1-0 (+0.5)", (1, 0.5, 0)),
        ("0.3-0.3", (0.3,)),
        ("0-0.3 (+0.1), 1.5", (0, 0.1, 0.2, 0.3, 1.5)),
        ("0-1 [1]", (0,)),
        ("0.12345-0.12347 (+0.00001)", (0.12345, 0.12346, 0.12347)),
    ],
)
def test_values_and_ranges_are_read(text: str, values: tuple[float, ...]) -> None:
    assert read(CommunityLora, "lora_scale", text) == values


def test_seeds_are_drawn_where_they_are_random() -> None:
    drawn = read(TextToImage, "seed", "-1, -1, 5")
    assert len(set(drawn)) == 3
    assert drawn[-1] == 5
    assert all(isinstance(seed, int) and 0 <= seed <= LARGEST_SEED for seed in drawn)


def test_choices_are_named_and_shown_by_their_titles() -> None:
    bases = FAMILY.bases[:2]
    found = axis.read(CommunityLora, "base", ", ".join(base.name for base in bases), FAMILY, 9, lambda name: name)
    assert found.values == bases
    assert found.titles == tuple(f"Base {base.title}" for base in bases)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("prompt", "a, b", "nothing that a sheet can vary"),
        ("nothing", "1", "nothing that a sheet can vary"),
        ("seed", "", "Write values for Seed"),
        ("seed", " , ", "Write values for Seed"),
        ("seed", "1," * 2000, "Write values for Seed"),
        ("seed", "1-4000000000", "means 4000000000 values"),
        ("seed", "0-1 [9999]", "means 9999 values"),
        ("seed", "1-2 (+0)", "its step or count must be above 0"),
        ("seed", "1-4 [0]", "its step or count must be above 0"),
        ("seed", ",".join(map(str, range(30))), "has 30 values"),
        ("seed", "a fox", "Seed must be a whole number"),
        ("steps", "1, 3", "Steps must be 1 or 4"),
    ],
)
def test_what_can_not_be_an_axis_is_told(name: str, text: str, sentence: str) -> None:
    with pytest.raises(DemoError, match=sentence):
        read(TextToImage, name, text)


def test_numbers_stand_whole_beside_pictures() -> None:
    seeds = axis.read(TextToImage, "seed", str(LARGEST_SEED), FAMILY, 9, lambda value: value)
    assert seeds.titles == (f"Seed {LARGEST_SEED}",)
    scales = axis.read(CannyGuided, "conditioning_scale", "0.8, 1", FAMILY, 9, lambda value: value)
    assert scales.titles == ("Conditioning scale 0.8", "Conditioning scale 1")
