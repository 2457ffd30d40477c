from __future__ import annotations

import math

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, T2IAdapter
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from bench.random_family import CANNY_ADAPTER, lora_shapes
from dmd2_demo.models.catalogue import SDXL_CONFIGS
from dmd2_demo.models.config_file import read_config
from dmd2_demo.models.parts import Adapter, Lora, TextEncoders, TinyVae, UNet, Vae
from dmd2_demo.weights.modules import unet_without_weights


def numbers(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parts_have_as_many_parameters_as_sdxls_configs_describe() -> None:
    vae = read_config(SDXL_CONFIGS.path / "vae" / "config.json")
    encoders = [
        CLIPTextConfig(**read_config(SDXL_CONFIGS.path / name / "config.json")) for name in TextEncoders.folders
    ]
    unet = unet_without_weights(SDXL_CONFIGS.path / "unet" / "config.json")
    with torch.device("meta"):
        assert numbers(AutoencoderKL.from_config(vae)) == Vae.parameters
        assert numbers(AutoencoderTiny()) == TinyVae.parameters  # taesdxl's config is the class's own
        assert numbers(T2IAdapter.from_config(CANNY_ADAPTER)) == Adapter.parameters
        one, two = CLIPTextModel(encoders[0]), CLIPTextModelWithProjection(encoders[1])
    assert numbers(one) + numbers(two) == TextEncoders.parameters
    assert numbers(unet) == UNet.parameters
    assert sum(math.prod(shape) for shape in lora_shapes(unet).values()) == Lora.parameters
