"""Modules from a whole pipeline in one file, with the keys of SDXL's original release. Asks the hub for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, create_diffusers_clip_model_from_ldm
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from dmd2_demo.errors import DemoError
from dmd2_demo.models.content import read_json
from dmd2_demo.models.parts import Part, TextEncoders, UNet
from dmd2_demo.models.sources import SingleFile
from dmd2_demo.weights import modules
from dmd2_demo.weights.modules import LoadTarget
from dmd2_demo.weights.tensors import frozen, read_tensors

_UNET = "model.diffusion_model."
_CONDITIONERS = "conditioner.embedders."
_ENCODERS = (
    (CLIPTextModel, "text_encoder", f"{_CONDITIONERS}0."),
    (CLIPTextModelWithProjection, "text_encoder_2", f"{_CONDITIONERS}1."),
)


def prefix(part: Part) -> str:
    """What begins the names of a part's tensors in a single file; "" for a part with files of its own."""
    match part:
        case UNet(source=SingleFile(), weights=None):
            return _UNET
        case TextEncoders(source=SingleFile()):
            return _CONDITIONERS
        case _:
            return ""


def unet(config: Path, weights: Path, target: LoadTarget) -> Any:
    """The UNet of the file; `config` is the diffusers folder that says its shape."""
    tensors = unet_tensors(config, weights, target.device, target.dtype)
    return modules.unet_of(tensors, _shape(config), weights.name, target)


def unet_tensors(
    config: Path, weights: Path, device: torch.device, dtype: torch.dtype | None = None
) -> dict[str, torch.Tensor]:
    """The tensors of the file's UNet, under diffusers' names; see `read_tensors`."""
    tensors = read_tensors(weights, device, dtype, prefix=_UNET)
    try:
        converted = convert_ldm_unet_checkpoint(tensors, read_json(_shape(config)))
    except KeyError as error:
        raise DemoError(f"{weights.name} holds no UNet of SDXL's shape: {error.args[0]!s:.100} is missing.") from error
    return cast("dict[str, torch.Tensor]", converted)


def _shape(config: Path) -> Path:
    return config / "unet" / "config.json"


def text_encoders(config: Path, weights: Path, target: LoadTarget) -> tuple[Any, Any]:
    """Both text encoders of the file."""
    one, two = (_text_encoder(config, weights, target, *of) for of in _ENCODERS)
    return one, two


def _text_encoder(config: Path, weights: Path, target: LoadTarget, kind: Any, folder: str, prefix: str) -> Any:
    read_json(config / folder / "config.json")  # where that is damaged, the file is not to blame
    # Of one encoder's tensors alone diffusers can't take the wrong ones.
    tensors = read_tensors(weights, target.device, target.dtype, prefix=prefix)
    try:
        encoder = create_diffusers_clip_model_from_ldm(
            kind, tensors, subfolder=folder, config=str(config), torch_dtype=target.dtype, local_files_only=True
        )
    except (ValueError, KeyError, RuntimeError) as error:
        raise DemoError(f"{weights.name} holds no {folder} of SDXL's shape.") from error
    # Diffusers leaves a weight that the file lacks without any value.
    absent = next((name for name, parameter in encoder.named_parameters() if parameter.is_meta), None)
    if absent:
        raise DemoError(f"{weights.name} is incomplete: {absent} of the {folder} is missing.")
    return frozen(encoder, target.device)
