"""Repositories of style LoRAs in every form that is published, and of what gives no style."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.weights.lora_files import (
    ATTENTION,
    FORMS,
    WORDS,
    Layers,
    Named,
    kohya,
    layers,
    renamed,
    with_width,
    write,
)
from training.family.members import LORA, load_text, load_unet

CPU = torch.device("cpu")
FILE = "style.safetensors"
TOML = """
[[lora]]
name = "ours"
title = "Our own"
licence = "MIT"
triggers = ["our style"]
scale = 0.6
file = "ours.safetensors"

[[lora]]
name = "theirs"
licence = "CC BY 4.0"
licence_url = "https://example.org/licence"
repo = "somebody/kohya"
file = "style.safetensors"
"""


def weaker(tensors: dict[str, torch.Tensor]) -> Named:
    """DMD2's LoRA itself in another form: of two bytes a number, half as strong, and without its alphas."""
    return {k: (t / 2).bfloat16() for k, t in tensors.items() if not k.endswith("alpha")}, {}


def write_repos(root: Path) -> dict[str, Path]:
    """Their folders by their ids; "operator" is a folder with a TOML file and a LoRA of the operator's own."""
    torch.manual_seed(3)
    text = load_text(CPU)
    parts: tuple[Layers, Layers, Layers] = (
        layers(load_unet(CPU), ATTENTION),
        layers(text.one, WORDS),
        layers(text.two, WORDS),
    )
    plain = kohya(*parts)
    made = {form.__name__.replace("_", "-"): form(*parts) for form in FORMS}
    made |= {
        "dora": ({**plain[0], "lora_unet_x.dora_scale": torch.ones(2)}, {}),
        "loha": renamed(plain, "lora_down.weight", "hada_w1_a"),
        "lokr": renamed(plain, "lora_down.weight", "lokr_w1"),
        "flux": renamed(plain, "lora_unet_down_blocks", "lora_unet_double_blocks"),
        "sd1": with_width(plain, 768),
        "wide": with_width(plain, 2048),
        "other-layers": renamed(plain, "attentions_0", "attentions_7"),
        "by-header": (plain[0], {"ss_output_name": "my_sdxl_lightning_4step"}),
        "sdxl-turbo-lora": plain,
        "by-contents": (load_file(LORA), {}),
        "by-weights": weaker(load_file(LORA)),
        "half": renamed(plain, "lora_up", "lora_sideways"),
        "no-lora": ({"weight": torch.ones(3)}, {}),
        "no-numbers": ({name: tensor * torch.nan for name, tensor in plain[0].items()}, {}),
    }
    folders = {f"somebody/{name}": write(root / name, named, FILE) for name, named in made.items()}
    write(root / "several", plain, "a.safetensors")
    folders["somebody/several"] = write(root / "several", plain, "b.safetensors")
    folders["somebody/odd-name"] = write(root / "odd-name", plain, "Ghibli's [SDXL] a&b@v1!.safetensors")
    folders["somebody/hostile"] = write(root / "hostile", plain, FILE)
    (root / "pickled").mkdir()
    torch.save(plain[0], root / "pickled" / "style.bin")
    write(root / "operator", made["peft"], "ours.safetensors")
    (root / "operator" / "loras.toml").write_text(TOML)
    return folders | {"somebody/pickled": root / "pickled", "operator": root / "operator"}
