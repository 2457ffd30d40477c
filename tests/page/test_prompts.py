"""Long and weighted prompts and choices, as a stranger's program asks for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError

from bench import card
from dmd2_demo.generate.prompt.choices import expanded
from tests import recipes
from tests.visitor import Visitor

ENDPOINTS = pytest.mark.parametrize("endpoint", ["/text_to_image", "/lora", "/canny"])
LONG = "a photo of a fox on a pink background with a picture of a photo of a picture with a photo on a background in"
SMALL = {"width": 64, "height": 64}


@pytest.fixture
def visitor(address: str, tmp_path: Path) -> Visitor:
    return Visitor(address, tmp_path)


def size(endpoint: str) -> dict[str, int]:
    return {} if endpoint == "/canny" else SMALL


@pytest.mark.parametrize("steps", [4, 1])
def test_a_prompt_that_fits_makes_the_model_cards_picture(visitor: Visitor, steps: int) -> None:
    prompt = "a penguin: on a {pink} background, fluent style"
    theirs = card.picture(recipes.CARD.text_to_image(steps), prompt, 5, steps, width=128, height=128)
    assert visitor.ask("/text_to_image", prompt=prompt, seed=5, steps=steps).pixels == [theirs.tobytes()]


def test_a_plain_prompt_makes_the_model_cards_picture_however_long_and_whatever_is_in_it(visitor: Visitor) -> None:
    prompt = f"({LONG}) {{a|b}} [x]"
    theirs = card.picture(recipes.CARD.text_to_image(1), prompt, 5, 1, width=128, height=128)
    assert visitor.ask("/text_to_image", prompt=prompt, plain_prompt=True, seed=5, steps=1).pixels == [theirs.tobytes()]


@ENDPOINTS
def test_the_end_of_a_long_prompt_counts(visitor: Visitor, endpoint: str) -> None:
    prompts = [f"{LONG} {colour} style" for colour in ("red", "green")]
    cut, whole = (
        [visitor.ask(endpoint, prompt=prompt, plain_prompt=plain, **size(endpoint)) for prompt in prompts]
        for plain in (True, False)
    )
    assert cut[0].pixels == cut[1].pixels
    assert whole[0].pixels != whole[1].pixels
    assert any("was left out" in notice for notice in cut[0].settings["notices"])
    assert not any("was left out" in notice for notice in whole[0].settings["notices"])


@ENDPOINTS
def test_weights_change_the_picture_and_are_no_words(visitor: Visitor, endpoint: str) -> None:
    prompts = ["a (fox:1.5) on a [blue] background BREAK a cat", "a fox on a blue background BREAK a cat"]
    weighted, without = (visitor.ask(endpoint, prompt=prompt, **size(endpoint)) for prompt in prompts)
    assert weighted.pixels != without.pixels
    assert weighted.settings["notices"] == without.settings["notices"] == []
    assert weighted.pictures[0].info["parameters"].startswith(f"{prompts[0]}")


@ENDPOINTS
def test_choices_make_one_picture_each_from_the_same_seed(visitor: Visitor, endpoint: str) -> None:
    template = "a {cat|(fox:1.2)} on a {red|blue} background"
    prompts = expanded(template, 8)
    made = visitor.ask(endpoint, prompt=template, seed=3, **size(endpoint))
    alone = [visitor.ask(endpoint, prompt=prompt, seed=3, **size(endpoint)) for prompt in prompts]
    assert made.pixels == [one.pixels[0] for one in alone]
    assert len(set(made.pixels)) == 4
    for picture, prompt in zip(made.pictures, prompts, strict=True):
        inside = json.loads(picture.info["dmd2"])
        assert (inside["prompt"], inside["prompt_template"], inside["seed"]) == (prompt, template, 3)
    assert made.settings["prompt_template"] == template
    assert "prompt_template" not in alone[0].settings


def test_each_choice_is_made_as_often_as_pictures_are_asked_for(visitor: Visitor) -> None:
    made = visitor.ask("/text_to_image", prompt="a {cat|fox}", seed=3, images=2, steps=1, **SMALL)
    inside = [json.loads(picture.info["dmd2"]) for picture in made.pictures]
    assert [(one["prompt"], one["seed"]) for one in inside] == [("a cat", 3), ("a cat", 4), ("a fox", 3), ("a fox", 4)]
    assert len(set(made.pixels)) == 4


def test_a_chosen_picture_is_made_again_from_its_file_and_shows_the_template(visitor: Visitor) -> None:
    made = visitor.ask("/text_to_image", prompt=r"a {cat|fox \{x\}} \(y\)", seed=3, steps=1, **SMALL)
    found: dict[str, Any] = visitor.client.predict(image=handle_file(made.paths[1]), api_name="/inspect")["settings"]
    assert found["prompt_template"] == r"a {cat|fox \{x\}} \(y\)"
    assert found["prompt"] == r"a fox \{x\} \(y\)"
    again = visitor.ask("/text_to_image", prompt=found["prompt"], seed=found["seed"], steps=1, **SMALL)
    assert again.pixels == made.pixels[1:]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"prompt": "{a|b|c} {d|e|f}"}, "more than 8 prompts"),
        ({"prompt": "{a|b|c}", "images": 4}, "more than 2 prompts"),
        ({"prompt": "{a|}"}, "leaves nothing of the prompt"),
        ({"prompt": "{a|b}" * 1_999}, "more than 8 prompts"),
    ],
)
def test_too_many_choices_are_a_sentence(visitor: Visitor, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AppError, match=sentence):
        visitor.ask("/text_to_image", **values)


@pytest.mark.parametrize(
    "prompt",
    [
        "(" * 5_000 + ")" * 5_000,
        "(a:nan) (b:1e999) (:1.2) (a:1.2.3) ((((",
        "BREAK",
        "()",
        "a BREAK " * 1_250,
        "{" * 9_999,
    ],
)
def test_whatever_is_written_is_drawn(visitor: Visitor, prompt: str) -> None:
    assert visitor.ask("/text_to_image", prompt=prompt, steps=1, **SMALL).pictures
