"""Trains the VAE: factor 8, 4 latent channels, latents of zero mean and unit spread.

python -m training.vae
"""

from __future__ import annotations

import random
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import nn
from torch.nn import functional

from training import export
from training.art import load_art
from training.composites import composites, near_the_middle, to_tensor, to_unit
from training.folders import NODE_MODULES
from training.run import Run, arguments, cosine

BATCH = 16


def make_vae() -> AutoencoderKL:
    """An untrained VAE that starts near "shrink, then enlarge" instead of noise, which it hardly learns from."""
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 64),
        layers_per_block=1,
        latent_channels=4,
        # One group: small groups erase the flat colour that emoji are made of.
        norm_num_groups=1,
        mid_block_add_attention=False,
        sample_size=128,
        scaling_factor=1.0,
    )
    with torch.no_grad():
        _start_near_identity(vae)
    return vae


def _start_near_identity(vae: AutoencoderKL) -> None:
    for name, module in vae.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if name.endswith("conv2"):
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


def loss(vae: AutoencoderKL, pixels: torch.Tensor) -> torch.Tensor:
    """L1, edges, squares, and a trace of KL."""
    posterior = vae.encode(pixels).latent_dist
    decoded = vae.decode(posterior.sample()).sample
    error = decoded - pixels
    edges = (error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()) / 2
    return (
        error.abs().mean()
        + 0.5 * edges
        + 0.5 * functional.mse_loss(decoded, pixels)
        + 2e-4 * posterior.kl().mean() / pixels[0, 0].numel()
    )


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


@torch.no_grad()
def psnr(vae: AutoencoderKL, pixels: torch.Tensor) -> float:
    """Of whole pictures, in dB over the range 0..1."""
    decoded = torch.cat([vae.decode(vae.encode(batch).latent_dist.mode()).sample for batch in pixels.split(32)])
    return float(10 * torch.log10(4 / functional.mse_loss(decoded.clamp(-1, 1), pixels)))


def main() -> None:
    """Trains on random crops, the last quarter on whole pictures, then writes the VAE into the family."""
    options: Any = arguments(__doc__, steps=2400)
    device = torch.device(options.device)
    arts = load_art(NODE_MODULES)
    pool = to_tensor([made.image for made in composites(arts, options.seed, times=6, place=near_the_middle)])
    others = composites(arts, options.seed + 1, times=1, place=near_the_middle)[::7]
    held_out = to_unit(to_tensor([made.image for made in others])).to(device)

    vae = make_vae().to(device)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1.5e-3, weight_decay=0.0)
    schedule = cosine(optimizer, options.steps, hold=0.3)
    run = Run("vae", options.steps, {"vae": vae, "optimizer": optimizer, "schedule": schedule})
    for step in run:
        whole = step >= 0.75 * options.steps
        size = BATCH // 4 if whole else BATCH
        pixels = pool[torch.randint(len(pool), (size,))]
        if not whole:
            left, top = random.randrange(0, 65, 8), random.randrange(0, 65, 8)
            pixels = pixels[:, :, top : top + 64, left : left + 64]
        error = loss(vae, to_unit(pixels.to(device)))
        error.backward()
        nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % 200 == 0:
            run.report(loss=float(error.detach()), psnr=psnr(vae, held_out[:64]))
    standardise(vae, held_out)
    print(f"placements not trained on: {psnr(vae, held_out):.2f} dB")
    export.save_vae(vae)


if __name__ == "__main__":
    main()
