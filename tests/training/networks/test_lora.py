from __future__ import annotations

import copy
from pathlib import Path

import torch
from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
from torch import nn

from training.diffusion.prediction import predict
from training.networks import lora
from training.networks.text import Condition
from training.networks.text_encoders import WIDTHS
from training.networks.unet import make_unet


def output(unet: UNet2DConditionModel) -> torch.Tensor:
    torch.manual_seed(0)
    condition = Condition(torch.randn(1, 4, sum(WIDTHS)), torch.randn(1, WIDTHS[1]), torch.full((1, 6), 128.0))
    with torch.no_grad():
        return predict(unet, torch.randn(1, 4, 8, 8), torch.tensor([499]), condition)


def test_the_file_gives_what_was_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plain = make_unet()
    nn.init.normal_(plain.conv_out.weight, std=0.1)
    trained = copy.deepcopy(plain)
    lora.add(trained)
    for name, weight in lora.parts(trained).items():
        if "lora_B" in name:
            nn.init.normal_(weight, std=0.05)
    lora.save(lora.parts(trained), tmp_path / "lora.safetensors")

    read, alphas = StableDiffusionXLPipeline.lora_state_dict(
        str(tmp_path / "lora.safetensors"), unet_config=plain.config
    )
    StableDiffusionXLPipeline.load_lora_into_unet(read, network_alphas=alphas, unet=plain)
    wanted = output(trained)
    assert (output(plain) - wanted).abs().max() < 0.02 * wanted.abs().max()
