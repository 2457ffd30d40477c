"""Modules from a whole pipeline in one file, with the keys of SDXL's original release. Asks the hub for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffusers import UNet2DConditionModel
from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from dmd2_demo.errors import DemoError
from dmd2_demo.modules import Placing
from dmd2_demo.tensors import read_tensors, still

_UNET = "model.diffusion_model."
_ENCODERS = (
    (CLIPTextModel, "text_encoder", "conditioner.embedders.0."),
    (CLIPTextModelWithProjection, "text_encoder_2", "conditioner.embedders.1."),
)


def unet(config: Path, weights: Path, placing: Placing) -> Any:
    """The UNet of the file; `config` is the diffusers folder that says its shape."""
    tensors = read_tensors(weights, placing.device, placing.dtype, prefix=_UNET)
    try:
        model = UNet2DConditionModel.from_single_file(
            tensors, config=str(config), subfolder="unet", torch_dtype=placing.dtype, local_files_only=True
        )
    except (ValueError, KeyError, RuntimeError) as error:
        raise DemoError(f"{weights.name} holds no UNet of SDXL's shape.") from error
    return _whole(model, weights, placing)


def text_encoders(config: Path, weights: Path, placing: Placing) -> tuple[Any, Any]:
    """Both text encoders of the file."""
    one, two = (_text_encoder(config, weights, placing, *of) for of in _ENCODERS)
    return one, two


def _text_encoder(config: Path, weights: Path, placing: Placing, kind: Any, folder: str, prefix: str) -> Any:
    # Of one encoder's tensors alone diffusers can't take the wrong ones.
    tensors = read_tensors(weights, placing.device, placing.dtype, prefix=prefix)
    try:
        encoder = create_diffusers_clip_model_from_ldm(
            kind, tensors, subfolder=folder, config=str(config), torch_dtype=placing.dtype, local_files_only=True
        )
    except (ValueError, KeyError, RuntimeError) as error:
        raise DemoError(f"{weights.name} holds no {folder} of SDXL's shape.") from error
    return _whole(encoder, weights, placing)


def _whole(module: Any, weights: Path, placing: Placing) -> Any:
    """Diffusers leaves a weight that the file lacks without any value."""
    absent = [name for name, parameter in module.named_parameters() if parameter.is_meta]
    if absent:
        raise DemoError(f"{weights.name} is incomplete: {absent[0]} is missing.")
    return still(module, placing.device)
