"""The line of settings that WebUI and its extensions write."""

from __future__ import annotations

import time

import pytest

from dmd2_demo.generate.metadata import a1111


def test_what_extensions_add_to_webuis_settings_stays_in_one_piece() -> None:
    resources = '[{"type": "checkpoint", "id": 1}, {"type": "lora", "id": 2}]'
    found = a1111.read(
        f'a\nSteps: 4, Hashes: {{"model": "abc", "lora:x": "def"}}, Seed: 5, Civitai resources: {resources}, odd, '
        "Size: 64x64\nTemplate: {cat|dog}, Seed: 3 flowers\nNegative Template: bad, (red, blue:1.2)"
    )
    assert found is not None
    assert found.settings == {"prompt": "a", "seed": 5, "width": 64, "height": 64}
    assert found.ignored == {
        "Steps": "4",
        "Hashes": '{"model": "abc", "lora:x": "def"}',
        "Civitai resources": resources,
        "Template": "{cat|dog}, Seed: 3 flowers",
        "Negative Template": "bad, (red, blue:1.2)",
    }


@pytest.mark.parametrize("opened", ['"', "[", "{", '{"a": "'])
def test_a_value_that_does_not_end_spoils_no_other(opened: str) -> None:
    found = a1111.read(f"a\nSteps: 4, Odd: {opened}x, Seed: 5" + ", y: [1" * 50_000)
    assert found is not None
    assert found.settings["seed"] == 5


@pytest.mark.parametrize("blank", ["\n", " ", "\r", "\t\n", "\x0b"])
def test_many_blanks_take_no_time(blank: str) -> None:
    began = time.process_time()
    assert a1111.read(blank * 300_000 + "x") is None
    assert time.process_time() - began < 1
