"""Fooocus' pictures: settings as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dmd2_demo.generate.metadata import a1111
from dmd2_demo.generate.metadata.found import Found, scale, stem

TOOL = "Fooocus"

_IGNORED = {
    "negative_prompt": "Negative prompt",
    "steps": "Steps",
    "guidance_scale": "CFG scale",
    "sampler": "Sampler",
    "scheduler": "Scheduler",
    "base_model": "Model",
    "performance": "Performance",
    "styles": "Styles",
}


def read(told: object) -> Found | None:
    """The settings; None where these are none of Fooocus'. Older versions began their names with capitals."""
    if not isinstance(told, Mapping):
        return None
    given = {str(name).lower().replace(" ", "_"): value for name, value in told.items()}
    if "prompt" not in given or not {"resolution", "base_model"} & set(given):
        return None
    settings: dict[str, Any] = {"prompt": str(given["prompt"])}
    seed = str(given.get("seed", ""))
    if seed.isdecimal() and len(seed) <= 20:
        settings["seed"] = int(seed)
    settings.update(a1111.size(str(given.get("resolution", ""))))
    ignored = {title: str(given[name]) for name, title in _IGNORED.items() if given.get(name)}
    listed = given.get("loras")
    pairs = [one for one in listed if isinstance(one, list) and len(one) >= 2] if isinstance(listed, list) else []
    return Found(TOOL, settings, ignored, {stem(one[0]): scale(one[1]) for one in pairs})
