"""Modules from a whole pipeline in one file, with the keys of SDXL's original release. Asks the hub for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffusers import UNet2DConditionModel
from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm, load_single_file_checkpoint
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from dmd2_demo.errors import DemoError
from dmd2_demo.modules import Placing
from dmd2_demo.tensors import still


def unet(config: Path, weights: Path, placing: Placing) -> Any:
    """The UNet of the file; `config` is the diffusers folder that says its shape."""
    try:
        model = UNet2DConditionModel.from_single_file(
            str(weights), config=str(config), subfolder="unet", torch_dtype=placing.dtype, local_files_only=True
        )
    except (ValueError, KeyError, RuntimeError) as error:
        raise DemoError(f"{weights.name} holds no UNet of SDXL's shape.") from error
    return still(model, placing.device)


def text_encoders(config: Path, weights: Path, placing: Placing) -> tuple[Any, Any]:
    """Both text encoders of the file."""
    checkpoint = load_single_file_checkpoint(str(weights), local_files_only=True)
    try:
        one, two = (
            create_diffusers_clip_model_from_ldm(
                kind, checkpoint, subfolder=folder, config=str(config), torch_dtype=placing.dtype, local_files_only=True
            )
            for kind, folder in ((CLIPTextModel, "text_encoder"), (CLIPTextModelWithProjection, "text_encoder_2"))
        )
    except (ValueError, KeyError, RuntimeError) as error:
        raise DemoError(f"{weights.name} holds no text encoders of SDXL's shape.") from error
    return still(one.to(placing.dtype), placing.device), still(two.to(placing.dtype), placing.device)
