"""A picture's parameters in the words of Stable Diffusion WebUI, which most tools of the field read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any


def infotext(parameters: Mapping[str, Any]) -> str:
    """The prompt, and below it one line of settings, as `Request.parameters` tells them.

    Names of models are their files' without the ending, as WebUI names them. An adapter is left out: what WebUI's
    extension writes of one holds a "Model:" of its own, which simple readers take for the picture's.
    """
    settings = {
        "Steps": parameters["steps"],
        "Sampler": "LCM",
        # No guidance: diffusers calls that 0, these tools 1, and they take a picture with 0 for one without settings.
        "CFG scale": 1,
        "Seed": parameters["seed"],
        "Size": f"{parameters['width']}x{parameters['height']}",
        "Model": parameters["model"],
        # As WebUI's extension for choices in prompts calls it.
        **({"Template": parameters["prompt_template"]} if "prompt_template" in parameters else {}),
    }
    if "strength" in parameters:
        settings["Denoising strength"] = parameters["strength"]
    hashes = {stem: short for stem, short in _hashes(parameters) if stem in _loras(parameters)}
    if hashes:
        settings["Lora hashes"] = ", ".join(f"{stem}: {short}" for stem, short in hashes.items())
    loras = "".join(f" <lora:{stem}:{scale:g}>" for stem, scale in _loras(parameters).items())
    return f"{parameters['prompt']}{loras}\n{_listed(settings)}"


def _loras(parameters: Mapping[str, Any]) -> dict[str, float]:
    """WebUI has LoRAs in the prompt, each by its file's name, with its scale."""
    own: dict[str, float] = {parameters["lora"]: parameters["lora_scale"]} if "lora" in parameters else {}
    return {**own, **parameters.get("styles", {})}


def _hashes(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The hashes that sites know LoRAs by."""
    weights = [one for one in parameters.get("weights", ()) if "autov3" in one]
    return [(PurePosixPath(one["file"]).stem, one["autov3"]) for one in weights]


def _listed(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name}: {_quoted(str(value))}" for name, value in settings.items())


def _quoted(value: str) -> str:
    """As JSON where a reader would otherwise end the value too early."""
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ',:\n"') else value
