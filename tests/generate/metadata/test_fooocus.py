"""Fooocus' settings, as JSON that was read already."""

from __future__ import annotations

from typing import Any

import pytest

from dmd2_demo.generate.metadata import fooocus


@pytest.mark.parametrize(
    "told",
    [
        {
            "prompt": "a fox",
            "seed": "9",
            "resolution": "(1152, 896)",
            "steps": 30,
            "guidance_scale": 4,
            "negative_prompt": "bad",
            "base_model": "jx",
            "loras": [["off.safetensors", 0.1, "hash"]],
        },
        {
            "Prompt": "a fox",
            "Seed": 9,
            "Resolution": "(1152, 896)",
            "Steps": 30,
            "Guidance Scale": 4,
            "Negative Prompt": "bad",
            "Base Model": "jx",
            "LoRAs": [["off.safetensors", 0.1]],
        },
    ],
    ids=["new", "old"],
)
def test_settings_of_any_age_are_read(told: dict[str, Any]) -> None:
    found = fooocus.read(told)
    assert found is not None
    assert found.settings == {"prompt": "a fox", "seed": 9, "width": 1152, "height": 896}
    assert found.ignored == {
        "Negative prompt": "bad",
        "Steps": "30",
        "CFG scale": "4",
        "Model": "jx",
    }
    assert found.loras == {"off": 0.1}
