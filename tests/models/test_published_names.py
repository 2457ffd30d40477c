"""The sdxl family of the catalogue, end to end through HF_ENDPOINT: a tiny family under the published names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.local_hub import LocalHub
from tests.tiny import TinyFamily

PROGRAM = """
import json, sys
import torch
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.parts import Lora, Pristine, Scheduler, TextEncoders, UNet
from dmd2_demo.weights.loader import PartLoader
from tests.sizes import sizeof

family = FAMILIES["sdxl"]
parts = [
    TextEncoders(family.base), Scheduler(), family.unet(4), family.unet(1), family.vae, family.adapter,
    *(part for base in family.bases for part in
      (UNet(base.source), Pristine(UNet(base.source)), Lora(family.lora, base.source))),
]
hub = Hub()
weights = PartLoader(hub, torch.device("cpu"), torch.float32)
missing = hub.missing(choice for part in parts for choice in part.files())
loaded = {}
for part in parts:
    weights.fetch(part)
    loaded[f"{part.title} {type(weights.load(part).module).__name__}"] = sizeof(weights.load(part))
print(json.dumps({
    "missing": sum(size for _, size in missing),
    "loaded": loaded,
    "left": len(hub.missing(choice for part in parts for choice in part.files())),
}))
"""


def run(environment: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | environment, check=True, capture_output=True, timeout=120
    )
    read: dict[str, object] = json.loads(done.stdout)
    return read


def test_every_part_of_the_published_family_loads_from_a_hub_and_then_without(family: TinyFamily, cache: Path) -> None:
    bases = (
        "stabilityai/stable-diffusion-xl-base-1.0",
        "SG161222/RealVisXL_V5.0",
        "RunDiffusion/Juggernaut-XL-v9",
        "Lykon/dreamshaper-xl-1-0",
        "cagliostrolab/animagine-xl-3.1",
        "cagliostrolab/animagine-xl-4.0",
    )
    repos = dict.fromkeys(bases, family.base) | {
        "tianweiy/DMD2": family.dmd2,
        "madebyollin/sdxl-vae-fp16-fix": family.base / "vae",
        "TencentARC/t2i-adapter-canny-sdxl-1.0": family.adapter,
    }
    with LocalHub(repos) as hub:
        first = run({"HF_ENDPOINT": hub.url, "HF_HOME": str(cache)})
        asked = [(asked.repo, asked.name) for asked in hub.asked if asked.method == "GET" and asked.start >= 0]
    assert len(asked) == len(set(asked))
    assert ("tianweiy/DMD2", "dmd2_sdxl_1step_unet_fp16.bin") in asked
    downloaded = sum((repos[repo] / name).stat().st_size for repo, name in asked)
    # The bases' model_index.json and scheduler tell what they are; they are not parts of a part.
    assert 0 <= downloaded - int(str(first["missing"])) < 20_000
    assert first["left"] == 0
    assert isinstance(first["loaded"], dict)
    assert first["loaded"].keys() == {
        "text encoders LoadedTextEncoders",
        "scheduler LCMScheduler",
        "UNet Mergeable",
        "UNet's own weights dict",
        "LoRA LoadedLora",
        "VAE AutoencoderKL",
        "adapter T2IAdapter",
    }
    again = run({"HF_ENDPOINT": "http://127.0.0.1:1", "HF_HOME": str(cache)})
    assert again["loaded"] == first["loaded"]
    assert again["missing"] == 0
