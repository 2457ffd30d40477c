"""Untrained networks with SDXL's roles and our sizes."""

from __future__ import annotations

import torch
from diffusers import EulerDiscreteScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from training.tokenizer import POSITIONS

# Of the text encoders; the UNet reads both side by side. They differ because diffusers tells the two apart by width
# in a single-file checkpoint.
WIDTHS = (48, 64)
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


def make_text_encoders(tokenizer: CLIPTokenizer) -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """Two CLIP text encoders, the second with a projection; SDXL reads the layer before the last of each."""

    def config(width: int, layers: int) -> CLIPTextConfig:
        return CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=4 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=POSITIONS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )

    encoders = CLIPTextModel(config(WIDTHS[0], 2)), CLIPTextModelWithProjection(config(WIDTHS[1], 3))
    for encoder in encoders:
        # The only attention whose backward pass is quick in half precision on a CPU.
        encoder.set_attn_implementation("eager")
        # Words must look different from the first step on.
        nn.init.normal_(encoder.get_input_embeddings().weight, std=0.1)
    return encoders


def make_scheduler() -> EulerDiscreteScheduler:
    """SDXL's noise schedule; trailing spacing, so that sampling starts at the noisiest step."""
    return EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing"
    )
