"""Configs from anywhere: what asks for a monster, or is one itself, is refused before anything is built."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.models.config_file import read_config

ROOT = Path(__file__).parent.parent.parent / "dmd2_demo"
CONFIGS = sorted(path for path in ROOT.rglob("*config.json") if "tokenizer" not in path.parts[-2])
UNET = ROOT / "models" / "configs" / "sdxl" / "unet" / "config.json"
ENCODER = ROOT / "models" / "configs" / "sdxl" / "text_encoder_2" / "config.json"
SSD_1B = {"transformer_layers_per_block": [1, 2, 4], "reverse_transformer_layers_per_block": [[4, 4, 10], [2, 1, 1], 1]}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_configs_of_our_own_are_read_as_they_are(path: Path) -> None:
    assert read_config(path) == json.loads(path.read_text(encoding="utf-8"))


def changed(folder: Path, of: Path, **values: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(of.read_text(encoding="utf-8")) | values))
    return path


def test_smaller_relatives_are_read_too(tmp_path: Path) -> None:
    assert read_config(changed(tmp_path, UNET, **SSD_1B))


@pytest.mark.parametrize(
    "values",
    [
        {"layers_per_block": 10**6},
        {"layers_per_block": [2, 2, 10**6]},
        {"layers_per_block": "1000000"},
        {"layers_per_block": 1e6},
        {"layers_per_block": -1},
        {"layers_per_block": True},
        {"layers_per_block": {"a": 2}},
        {"layers_per_block": 8, "transformer_layers_per_block": 40},
        {"transformer_layers_per_block": [[1, [2, 10**5]], 1, 1]},
        {"reverse_transformer_layers_per_block": [[4, 4, 99], 1, 1]},
        {"block_out_channels": [320, 10**9, 1280]},
        {"block_out_channels": [320] * 17},
        {"attention_head_dim": [10**8]},
        {"cross_attention_dim": 10**12},
        {"cross_attention_dim": float("nan")},
        {"in_channels": float("inf")},
        {"sample_size": 10**400},
        {"unknown_size": 10**30},
        {"unknown_size": float("-inf")},
        {"down_block_types": ["CrossAttnDownBlock2D"] * 20_000},
        {"num_train_timesteps": 10**9},
    ],
)
def test_unet_that_asks_for_too_much_is_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(DemoError, match=r"^test_unet_\S+/config\.json "):
        read_config(changed(tmp_path, UNET, **values))


@pytest.mark.parametrize(
    "values",
    [
        {"num_hidden_layers": 3000},
        {"hidden_size": 10**6},
        {"vocab_size": 10**9},
        {"max_position_embeddings": 10**7},
        {"hidden_size": 4096, "intermediate_size": 16_384, "num_hidden_layers": 48},
        {"text_config": {"hidden_size": 10**6}},
        {"text_config": {"num_hidden_layers": 4000}},
    ],
)
def test_text_encoder_that_asks_for_too_much_is_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(DemoError):
        read_config(changed(tmp_path, ENCODER, **values))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[1, 2]", "null", "{", "\ufeff{}x", '{"a": ' + "9" * 5000 + "}"]
)
def test_what_is_no_config_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DemoError, match="is damaged"):
        read_config(path)


def test_bytes_that_are_no_text_are_told_too(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DemoError, match="is damaged"):
        read_config(path)


@pytest.mark.parametrize(
    "content", [b'{"a": [' + b"1," * 999_000 + b"1]}", b" " * 3_000_000, b'{"a":' * 9 + b"1" + b"}" * 9]
)
def test_huge_or_deep_ones_are_refused_soon(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    before = time.monotonic()
    with pytest.raises(DemoError):
        read_config(path)
    assert time.monotonic() - before < 5
