"""A picture's parameters in the words of Stable Diffusion WebUI, which most tools of the field read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dmd2_demo.generate.metadata.a1111 import without_loras


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
    loras = _loras(parameters)
    hashes = [one["autov3"] for one in parameters.get("weights", ()) if "autov3" in one]  # in the order of the LoRAs
    if loras and len(hashes) == len(loras):
        settings["Lora hashes"] = ", ".join(f"{name}: {short}" for name, short in zip(loras, hashes, strict=True))
    terms = "".join(f" <lora:{name}:{scale:g}>" for name, scale in loras.items())
    return f"{_weighed(parameters)}{terms}\n{_listed(settings)}"


def _weighed(parameters: Mapping[str, Any]) -> str:
    """The prompt as readers weigh it: of a plain one, brackets and backslashes are letters."""
    prompt, _ = without_loras(str(parameters["prompt"]))  # which readers would take for LoRAs that made it
    return re.sub(r"[\\()\[\]]", r"\\\g<0>", prompt) if parameters.get("plain_prompt") else prompt


def _loras(parameters: Mapping[str, Any]) -> dict[str, float]:
    """WebUI has LoRAs in the prompt, each by its file's name, with its scale."""
    own: dict[str, float] = {parameters["lora"]: parameters["lora_scale"]} if "lora" in parameters else {}
    return {**own, **parameters.get("styles", {})}


def _listed(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name}: {_quoted(str(value))}" for name, value in settings.items())


def _quoted(value: str) -> str:
    """As JSON where a reader would otherwise end the value too early."""
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ',:\n"') else value
