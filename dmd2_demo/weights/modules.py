"""Modules built without weights and filled from files: nothing is initialised at random, nothing is held twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, T2IAdapter, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils.logging import disable_progress_bar

from dmd2_demo.errors import DemoError
from dmd2_demo.models.config_file import read_config
from dmd2_demo.weights.embeddings import KeptEmbeddings
from dmd2_demo.weights.lora import Mergeable
from dmd2_demo.weights.tensors import fill, frozen, read_all_tensors

_FEWEST_PLACES = 3  # of a prompt: its start, a token, and its end

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
    """What a pipeline's constructor takes under these names, and what they made of prompts lately.

    LoRAs are merged into both encoders by `merging`.
    """

    tokenizer: Any
    tokenizer_2: Any
    text_encoder: Any
    text_encoder_2: Any
    merging: tuple[Mergeable, Mergeable]
    embeddings: KeptEmbeddings = field(default_factory=KeptEmbeddings)


def unet(config: Path, weights: Sequence[Path], target: LoadTarget) -> Any:
    """A UNet2DConditionModel of that config file with the weights of those `.safetensors` files."""
    return _model(UNet2DConditionModel, config, weights, target)


def unet_without_weights(config: Path) -> Any:
    """A UNet2DConditionModel whose weights have shapes and nothing else."""
    return _empty(UNet2DConditionModel, config)


def unet_of(tensors: dict[str, torch.Tensor], config: Path, name: str, target: LoadTarget) -> Any:
    """A UNet2DConditionModel with weights that were read already, from the file called `name`."""
    return _filled(UNet2DConditionModel, tensors, config, name, target)


def vae(config: Path, weights: Sequence[Path], target: LoadTarget) -> Any:
    """An AutoencoderKL."""
    return _model(AutoencoderKL, config, weights, target)


def tiny_vae(config: Path, weights: Sequence[Path], target: LoadTarget) -> Any:
    """An AutoencoderTiny."""
    return _model(AutoencoderTiny, config, weights, target)


def adapter(config: Path, weights: Sequence[Path], target: LoadTarget) -> Any:
    """A T2IAdapter."""
    return _model(T2IAdapter, config, weights, target)


def _model(kind: Any, config: Path, weights: Sequence[Path], target: LoadTarget) -> Any:
    tensors = read_all_tensors(weights, target.device, target.dtype)
    return _filled(kind, tensors, config, weights[0].name, target)


def _filled(kind: Any, tensors: dict[str, torch.Tensor], config: Path, name: str, target: LoadTarget) -> Any:
    model = _empty(kind, config)
    fill(model, tensors, name)
    return frozen(model, target.device)


def _empty(kind: Any, config: Path) -> Any:
    shape = read_config(config)
    # Not accelerate's init_empty_weights: that patches nn.Module for all threads, and two at once leave it patched.
    with _described(config), torch.device("meta"):
        return kind.from_config(shape)


@contextmanager
def _described(config: Path) -> Iterator[None]:
    """Raises DemoError where the libraries can make nothing of what a config describes."""
    try:
        yield
    except Exception as error:
        raise DemoError(f"{config.parent.name}/{config.name} describes nothing that can be loaded.") from error


def tokenizer(config: Path, length: int) -> Any:
    """The CLIPTokenizer that lies beside its config; it gives at most `length` tokens, whatever the config says."""
    with _described(config):
        return CLIPTokenizer.from_pretrained(config.parent, local_files_only=True, model_max_length=length)


def text_encoder(config: Path, weights: Sequence[Path], target: LoadTarget) -> Any:
    """A CLIPTextModel, with a projection in SDXL's second folder. DemoError where the weights don't fit the config."""
    kind, shape = _encoder_kind(config), _encoder_shape(config)
    tensors = read_all_tensors(weights, torch.device("cpu"), target.dtype)
    try:
        model, found = kind.from_pretrained(
            None,
            config=shape,
            state_dict=tensors,
            dtype=target.dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # They are told below, in a sentence.
        )
    except (ValueError, KeyError, RuntimeError, TypeError) as error:
        raise DemoError(f"{weights[0].name} holds no text encoder.") from error
    amiss = sorted(found["missing_keys"]) or sorted(key for key, *_ in found["mismatched_keys"])
    if amiss:
        raise DemoError(f"{weights[0].name} does not fit this text encoder: {amiss[0]} is missing or of another shape.")
    return frozen(model, target.device)


def text_encoder_without_weights(config: Path) -> Any:
    """A text encoder whose weights have shapes and nothing else."""
    shape = _encoder_shape(config)
    with _described(config), torch.device("meta"):
        return _encoder_kind(config)(shape)


def require_together(unet_config: Path, encoder_configs: Sequence[Path]) -> None:
    """Raises DemoError where the UNet and both text encoders can't be built as described, or not for one another.

    The UNet is tried as a pipeline of SDXL's would call it, with shapes alone.
    """
    unet = unet_without_weights(unet_config)
    one, two = (text_encoder_without_weights(config).config for config in encoder_configs)
    for config, encoder in zip(encoder_configs, (one, two), strict=True):
        if encoder.max_position_embeddings < _FEWEST_PLACES:
            raise DemoError(f"{config.parent.name}/{config.name} leaves a prompt no places.")
    told = unet.config
    with _described(unet_config):
        embedded = told.projection_class_embeddings_input_dim - 6 * told.addition_time_embed_dim
    if (told.cross_attention_dim, embedded) != (one.hidden_size + two.hidden_size, two.projection_dim):
        raise DemoError(
            f"{unet_config.parent.name}/{unet_config.name} is for other text encoders than those beside it."
        )
    with _described(unet_config), torch.device("meta"), torch.no_grad():
        sizes = {"text_embeds": torch.empty(1, two.projection_dim), "time_ids": torch.empty(1, 6)}
        noise, words = torch.empty(1, 4, 32, 32), torch.empty(1, 77, told.cross_attention_dim)
        drawn = unet(noise, torch.empty(()), encoder_hidden_states=words, added_cond_kwargs=sizes).sample
        if drawn.shape != noise.shape:
            raise ValueError(drawn.shape)


_ENCODER_SHAPE = {
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "projection_dim",
    "num_hidden_layers",
    "num_attention_heads",
    "max_position_embeddings",
    "hidden_act",
    "layer_norm_eps",
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
}


def _encoder_kind(config: Path) -> Any:
    return CLIPTextModelWithProjection if config.parent.name.endswith("_2") else CLIPTextModel


def _encoder_shape(config: Path) -> Any:
    """What the config says of the network; how others wanted it loaded (kernels, quantization) is left out."""
    read = read_config(config)
    with _described(config):
        return CLIPTextConfig(**{name: value for name, value in read.items() if name in _ENCODER_SHAPE})
