"""An untrained VAE: factor 8, 4 latent channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import nn


def make_vae() -> AutoencoderKL:
    """An untrained VAE that starts near "shrink, then enlarge" instead of noise, which it hardly learns from."""
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 48, 64, 64),
        layers_per_block=1,
        latent_channels=4,
        # One group: small groups erase the flat colour that emoji are made of.
        norm_num_groups=1,
        sample_size=128,
        scaling_factor=1.0,
    )
    with torch.no_grad():
        _start_near_identity(vae)
    return vae


def _start_near_identity(vae: AutoencoderKL) -> None:
    for name, module in vae.named_modules():
        if name.endswith(("conv2", "to_out.0")):
            module.weight.mul_(0.05)
        elif name.endswith(
            ("conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv", "conv_in", "conv_out", "quant_conv")
        ):
            _carry(module, average="downsamplers" in name)
    # The encoder's second half is the log-variance: little noise at first.
    half = vae.config["latent_channels"]
    assert vae.quant_conv is not None
    vae.encoder.conv_out.weight[half:] *= 0.0
    vae.quant_conv.weight[half:] *= 0.0
    vae.quant_conv.bias[half:] = -5.0
    # The norm before conv_out would erase brightness; the colours bypass it through a large enough weight.


def _carry(conv: nn.Conv2d, average: bool) -> None:
    """Makes `conv` pass its channels on, with a little of its random start left to break symmetry."""
    conv.weight.mul_(0.3)
    shared = min(conv.in_channels, conv.out_channels)
    height, width = conv.kernel_size
    for channel in range(shared):
        if average and height == 3:
            # The padding is below and right, so the 2 x 2 block is the kernel's upper left.
            conv.weight[channel, channel, :2, :2] += 0.25
        else:
            conv.weight[channel, channel, height // 2, width // 2] += 1.0
    if conv.bias is not None:
        conv.bias.zero_()


@torch.no_grad()
def reconstructed(
    vae: Any, pixels: torch.Tensor, change: Callable[[torch.Tensor], torch.Tensor] = lambda latents: latents
) -> torch.Tensor:
    """`pixels` (n, 3, height, width) in -1..1 through the latents, which `change` may alter, and back."""
    decoded = [vae.decode(change(vae.encode(part).latent_dist.mode())).sample for part in pixels.split(32)]
    return torch.cat(decoded).clamp(-1, 1)


@torch.no_grad()
def standardise(vae: AutoencoderKL, pixels: torch.Tensor) -> None:
    """Folds each latent channel's mean and spread over `pixels` into the convolutions beside the latents.

    Every pipeline class then sees plain latents and `scaling_factor` stays 1.
    """
    latents = torch.cat([vae.encode(batch).latent_dist.mode() for batch in pixels.split(32)])
    mean, spread = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    quant, post = vae.quant_conv, vae.post_quant_conv
    assert quant is not None
    assert post is not None
    post.bias += post.weight[:, :, 0, 0] @ mean
    post.weight *= spread[None, :, None, None]
    half = len(mean)
    quant.bias[:half] = (quant.bias[:half] - mean) / spread
    quant.weight[:half] /= spread[:, None, None, None]
    quant.bias[half:] -= 2 * spread.log()
