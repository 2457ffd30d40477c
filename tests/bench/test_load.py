from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bench.load import measure
from bench.unet_file import write_unet
from dmd2_demo.hub.safetensors_header import read_header
from tests.tiny import TinyFamily


def test_written_file_is_a_whole_unet(family: TinyFamily, tmp_path: Path) -> None:
    size = write_unet(family.base / "unet" / "config.json", tmp_path / "unet.safetensors")
    theirs = read_header(family.base / "unet" / "diffusion_pytorch_model.fp16.safetensors").tensors
    assert read_header(tmp_path / "unet.safetensors").tensors == theirs
    assert size == (tmp_path / "unet.safetensors").stat().st_size
    assert all(torch.isfinite(tensor).all() for tensor in load_file(tmp_path / "unet.safetensors").values())


@pytest.mark.parametrize("loader", ["ours", "recipe"])
def test_loaders_are_measured(family: TinyFamily, tmp_path: Path, loader: str) -> None:
    config = family.base / "unet" / "config.json"
    write_unet(config, tmp_path / "unet.safetensors")
    row = measure(loader, "float32", config, tmp_path / "unet.safetensors")
    assert 0 < row["loaded"] <= row["ready"]
    assert row["weights"] == pytest.approx(2 * (tmp_path / "unet.safetensors").stat().st_size, rel=0.1)
