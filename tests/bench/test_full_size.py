from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bench import random_weights
from bench.full_size import machine, measure
from bench.random_family import FULL, SMALL, lora_shapes, write
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.models.catalogue import SDXL_CONFIGS
from dmd2_demo.settings import Settings
from dmd2_demo.weights.modules import unet_without_weights


def test_weights_are_whole_and_lively(tmp_path: Path) -> None:
    shapes = {"conv": (8, 4, 3, 3), "large": (2000, 1000), "gain": (5,), "alpha": ()}
    size = random_weights.write(shapes, tmp_path / "w.safetensors")
    assert size == (tmp_path / "w.safetensors").stat().st_size
    read = load_file(tmp_path / "w.safetensors")
    assert {name: tuple(tensor.shape) for name, tensor in read.items()} == shapes
    for name, tensor in read.items():
        assert tensor.dtype == torch.float16
        assert torch.equal(tensor, random_weights.tensor(shapes[name]))
    assert read["large"].std().item() == pytest.approx(1 / math.sqrt(1000), rel=0.01)
    assert (read["large"] == 0).float().mean() < 0.01
    assert all((tensor > 0.4).all() for tensor in (read["gain"], read["alpha"]))


def test_full_size_has_the_published_sizes() -> None:
    unet = unet_without_weights(SDXL_CONFIGS.path / "unet" / "config.json")
    assert FULL.size == (1024, 1024)
    assert not FULL.configs.get("unet")
    assert 2 * sum(weight.numel() for weight in unet.parameters()) == pytest.approx(5.135e9, rel=0.001)
    lora = lora_shapes(unet)
    assert 2 * sum(math.prod(shape) for shape in lora.values()) == pytest.approx(394e6, rel=0.01)


def test_all_tabs_are_measured_on_a_small_family(tmp_path: Path) -> None:
    family = write(tmp_path / "family", SMALL)
    rows = list(measure(build_runtime(family, Settings()), pictures=1))
    loaded = {row[0]: int(row[-1]) for row in rows}
    assert loaded == {
        "text, 4 steps": 4,
        "text, 1 step": 1,
        "back to 4 steps": 0,
        "canny": 1,
        "LoRA at 1.0": 3,
        "LoRA at 0.7": 0,
    }
    assert all(row[1].endswith(" s") and row[4].endswith(" GB") for row in rows)


def test_the_table_says_where_it_is_from() -> None:
    assert machine().startswith("Commit ")
    assert f"torch {torch.__version__}" in machine()
