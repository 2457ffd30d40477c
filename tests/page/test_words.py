"""Other words than the family's: drawn as what they mean, said, and made again from what the file says."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradio_client import handle_file

from tests.visitor import Visitor


@pytest.fixture
def visitor(address: str, tmp_path: Path) -> Visitor:
    return Visitor(address, tmp_path)


def test_another_word_is_drawn_as_the_familys_own_and_made_again(visitor: Visitor) -> None:
    ask = {"seed": 5, "steps": 1}
    other = visitor.ask("/text_to_image", prompt="an automobile on a gray background", **ask)
    own = visitor.ask("/text_to_image", prompt="a car on a grey background", **ask)
    assert other.pixels == own.pixels
    assert other.settings["prompt"] == "an automobile on a gray background"
    assert other.settings["prompt_understood"] == "a car on a grey background"
    assert other.settings["notices"] == ["“automobile” was taken for “car”, “gray” was taken for “grey”."]
    assert "prompt_understood" not in own.settings
    assert own.settings["notices"] == []
    found = visitor.client.predict(image=handle_file(other.paths[0]), api_name="/inspect")
    assert found["notices"] == []
    again = visitor.ask("/text_to_image", prompt=found["settings"]["prompt"], **ask)
    assert again.pixels == other.pixels


def test_a_plain_prompt_is_read_as_it_is_written(visitor: Visitor) -> None:
    plain = visitor.ask("/text_to_image", prompt="an automobile", seed=5, steps=1, plain_prompt=True)
    assert "prompt_understood" not in plain.settings
    assert plain.settings["notices"] == []
