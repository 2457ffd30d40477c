"""A repository of two files, one small and one large in the hub's sense."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from dmd2_demo.models.sources import File, HubRepo

REPO = "owner/model"
WEIGHTS = "unet/model.fp16.safetensors"
WEIGHTS_FILE = File(HubRepo(REPO), WEIGHTS)
CONFIG_FILE = File(HubRepo(REPO), "unet/config.json")


def write_repo(folder: Path) -> None:
    """200 KB of weights and a config."""
    (folder / "unet").mkdir(parents=True)
    save_file({"weight": torch.arange(50_000).float()}, folder / WEIGHTS)
    (folder / CONFIG_FILE.name).write_text(json.dumps({"in_channels": 4}))
