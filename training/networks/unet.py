"""An untrained UNet with SDXL's role and our size."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from training.networks.text_encoders import WIDTHS

TIME_IDS = 16  # numbers for each of SDXL's six size conditions


def make_unet() -> UNet2DConditionModel:
    """Three resolutions, attention at the lower two, text_time conditioning; 3.4 M parameters."""
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(64, 80, 80),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 1),
        attention_head_dim=(4, 4, 4),
        cross_attention_dim=sum(WIDTHS),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_IDS,
        projection_class_embeddings_input_dim=WIDTHS[1] + 6 * TIME_IDS,
        norm_num_groups=16,
        # Time and pooled text scale as well as shift: the sharper condition learns faster.
        resnet_time_scale_shift="scale_shift",
    )
    with torch.no_grad():
        for name, module in unet.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and name.endswith(("conv2", "proj_out")):
                module.weight.mul_(0.05)
        unet.conv_out.weight.zero_()
        unet.conv_out.bias.zero_()
    return unet
