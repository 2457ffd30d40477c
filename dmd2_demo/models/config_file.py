"""Config files as they come from anywhere: read within bounds, and bounded in what they ask to be built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.models.content import read_json

_LONGEST = 2_000_000  # bytes
_MOST_VALUES, _DEEPEST, _MOST_IN_A_LIST = 10_000, 8, 16
_LARGEST_NUMBER = 1_000_000

# By diffusers' and transformers' names, several times what SDXL has: what makes a module large, each a whole number or
# a list of them.
_MOST = {
    "layers_per_block": 8,
    "transformer_layers_per_block": 40,
    "reverse_transformer_layers_per_block": 40,
    "num_res_blocks": 8,
    "num_hidden_layers": 48,
    "block_out_channels": 8192,
    "channels": 8192,
    "in_channels": 4096,
    "out_channels": 4096,
    "latent_channels": 64,
    "attention_head_dim": 1024,
    "num_attention_heads": 256,
    "addition_embed_type_num_heads": 256,
    "cross_attention_dim": 8192,
    "encoder_hid_dim": 8192,
    "time_embedding_dim": 16_384,
    "addition_time_embed_dim": 4096,
    "projection_class_embeddings_input_dim": 65_536,
    "num_class_embeds": 4096,
    "norm_num_groups": 1024,
    "conv_in_kernel": 9,
    "conv_out_kernel": 9,
    "downscale_factor": 64,
    "sample_size": 4096,
    "hidden_size": 4096,
    "intermediate_size": 16_384,
    "projection_dim": 8192,
    "vocab_size": 100_000,
    "max_position_embeddings": 4096,
    "num_train_timesteps": 10_000,
}
_MOST_TRANSFORMERS = 400  # SDXL's UNet has 70 transformer layers
_MOST_PARAMETERS = 3_000_000_000  # of a text encoder; SDXL's larger one has 0.7e9


def read_config(path: Path) -> dict[str, Any]:
    """The object in a JSON file. DemoError where it is none, or asks for more than a model of SDXL's kind ever has."""
    name = f"{path.parent.name}/{path.name}"
    if path.stat().st_size > _LONGEST:
        raise DemoError(f"{name} is too long for a config.")
    read = read_json(path)
    _require_bounds(read, name)
    return read


def _require_bounds(config: Mapping[str, Any], name: str) -> None:
    for count, (key, value, depth) in enumerate(_values(config)):
        if count > _MOST_VALUES or depth > _DEEPEST:
            raise DemoError(f"{name} is no config of a model: it holds too much.")
        if isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:  # NaN is not, either
            raise DemoError(f"{name} is no config of an SDXL model: its {key:.60} is out of bounds.")
        if key in _MOST and not _is_within(value, _MOST[key]):
            raise DemoError(f"{name} asks for more than an SDXL model has: its {key} is out of bounds.")
        if isinstance(value, dict) and (
            _transformers(value) > _MOST_TRANSFORMERS or _parameters(value) > _MOST_PARAMETERS
        ):
            raise DemoError(f"{name} asks for more than an SDXL model has: it is too large as a whole.")


def _values(config: Mapping[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Every value with the key that it, or the list that it is in, has, and its depth; the whole first."""
    waiting: list[tuple[str, Any, int]] = [("", config, 0)]
    while waiting:
        key, value, depth = waiting.pop()
        yield key, value, depth
        if isinstance(value, dict):
            waiting.extend((str(inner), held, depth + 1) for inner, held in value.items())
        elif isinstance(value, list):
            waiting.extend((key, held, depth + 1) for held in value)


def _is_within(value: object, most: int) -> bool:
    """Whether it is a whole number from 0 to `most`, a short list of such, or nothing."""
    if isinstance(value, list):
        return len(value) <= _MOST_IN_A_LIST and all(_is_within(one, most) for one in value)
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most)


def _largest(config: Mapping[str, Any], key: str, otherwise: int) -> int:
    """The largest number under that key, in whatever lists."""
    waiting, largest = [config.get(key)], 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, int):
            largest = max(largest, value)
    return largest or otherwise


def _transformers(config: Mapping[str, Any]) -> int:
    """At most so many transformer layers a UNet of that config has: one more layer a block on the way up."""
    channels = config.get("block_out_channels")
    blocks = len(channels) if isinstance(channels, list) else 0
    layers = 2 * _largest(config, "layers_per_block", 2) + 1
    keys = ("transformer_layers_per_block", "reverse_transformer_layers_per_block")
    return blocks * layers * max(_largest(config, key, 1) for key in keys)


def _parameters(config: Mapping[str, Any]) -> int:
    """About so many a text encoder of that config has."""
    width = _largest(config, "hidden_size", 0)
    layer = 4 * width * width + 2 * width * _largest(config, "intermediate_size", 0)
    return _largest(config, "num_hidden_layers", 0) * layer + width * _largest(config, "vocab_size", 0)
