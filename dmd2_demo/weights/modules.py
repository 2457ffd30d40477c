"""Modules built without weights and filled from files: nothing is initialised at random, nothing is held twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, T2IAdapter, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils.logging import disable_progress_bar

from dmd2_demo.errors import DemoError
from dmd2_demo.models.content import read_json
from dmd2_demo.weights.tensors import fill, frozen, read_tensors

disable_progress_bar()  # Its bars would fill a server's log; the page has its own.


@dataclass(frozen=True)
class LoadTarget:
    """Where modules go and as what."""

    device: torch.device
    dtype: torch.dtype


Build = Callable[[Path, Sequence[Path], LoadTarget], Any]
"""Makes a module of a config file and one or more `.safetensors` files."""


@dataclass(frozen=True)
class LoadedTextEncoders:
    """What a pipeline's constructor takes under these names."""

    tokenizer: Any
    tokenizer_2: Any
    text_encoder: Any
    text_encoder_2: Any


def unet(config: Path, weights: Sequence[Path], placing: LoadTarget) -> Any:
    """A UNet2DConditionModel of that config file with the weights of those `.safetensors` files."""
    return _model(UNet2DConditionModel, config, weights, placing)


def unet_without_weights(config: Path) -> Any:
    """A UNet2DConditionModel whose weights have shapes and nothing else."""
    return _empty(UNet2DConditionModel, config)


def unet_of(tensors: dict[str, torch.Tensor], config: Path, name: str, placing: LoadTarget) -> Any:
    """A UNet2DConditionModel with weights that were read already, from the file called `name`."""
    return _filled(UNet2DConditionModel, tensors, config, name, placing)


def vae(config: Path, weights: Sequence[Path], placing: LoadTarget) -> Any:
    """An AutoencoderKL."""
    return _model(AutoencoderKL, config, weights, placing)


def adapter(config: Path, weights: Sequence[Path], placing: LoadTarget) -> Any:
    """A T2IAdapter."""
    return _model(T2IAdapter, config, weights, placing)


def _model(kind: Any, config: Path, weights: Sequence[Path], placing: LoadTarget) -> Any:
    tensors: dict[str, torch.Tensor] = {}
    for path in weights:
        tensors |= read_tensors(path, placing.device, placing.dtype)
    return _filled(kind, tensors, config, weights[0].name, placing)


def _filled(kind: Any, tensors: dict[str, torch.Tensor], config: Path, name: str, placing: LoadTarget) -> Any:
    model = _empty(kind, config)
    fill(model, tensors, name)
    return frozen(model, placing.device)


def _empty(kind: Any, config: Path) -> Any:
    with _described(config), init_empty_weights():
        return kind.from_config(read_json(config))


@contextmanager
def _described(config: Path) -> Iterator[None]:
    """Raises DemoError where the libraries can make nothing of what a config describes."""
    try:
        yield
    except Exception as error:
        raise DemoError(f"{config.parent.name}/{config.name} describes nothing that can be loaded.") from error


def tokenizer(config: Path) -> Any:
    """The CLIPTokenizer that lies beside its config."""
    with _described(config):
        return CLIPTokenizer.from_pretrained(config.parent, local_files_only=True)


def text_encoder(config: Path, weights: Sequence[Path], placing: LoadTarget) -> Any:
    """A CLIPTextModel, with a projection where the config says so. All lie in one folder."""
    with _described(config):
        architectures = read_json(config).get("architectures") or [""]
        kind = CLIPTextModelWithProjection if architectures[0] == "CLIPTextModelWithProjection" else CLIPTextModel
        shape = kind.config_class.from_pretrained(config.parent, local_files_only=True)
    model, found = kind.from_pretrained(
        config.parent,
        config=shape,
        variant=_variant(weights[0]),
        dtype=placing.dtype,
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # They are told below, in a sentence.
    )
    amiss = sorted(found["missing_keys"]) or sorted(key for key, *_ in found["mismatched_keys"])
    if amiss:
        raise DemoError(f"{weights[0].name} does not fit this text encoder: {amiss[0]} is missing or of another shape.")
    return frozen(model, placing.device)


def _variant(weights: Path) -> str | None:
    """`model.fp16.safetensors` is the fp16 variant."""
    return weights.suffixes[0].removeprefix(".") if len(weights.suffixes) > 1 else None
