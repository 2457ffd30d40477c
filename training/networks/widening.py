"""A VAE with a larger decoder and the same latents: its encoder computes what it did before."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL

# Channels at the picture's own resolution. Twice the 16 would be the next block's 32, and between equal widths there is
# no shortcut convolution to copy.
WIDEST = 48
_NOISE = 0.05  # of a copied decoder weight's size, so that copies learn to differ


@torch.no_grad()
def widened(vae: AutoencoderKL) -> AutoencoderKL:
    """`vae` with `WIDEST` channels at full resolution and attention in the middle.

    Net2Net's way (arXiv 1511.05641): a channel becomes several that are equal, and what reads it shares its weight out
    among them, in powers of two so that half precision stays exact. Encoder and decoder have one configuration, hence
    both grow; the encoder's function stays, the decoder starts near its own.
    """
    first, *others = vae.config["block_out_channels"]
    assert WIDEST % first == 0
    config = {**vae.config, "block_out_channels": (WIDEST, *others), "mid_block_add_attention": True}
    wide: AutoencoderKL = AutoencoderKL.from_config(config)
    old, new = vae.state_dict(), wide.state_dict()
    for name, target in new.items():
        if name in old:
            copied = _spread(old[name], target.shape)
            learns = name.startswith("decoder.") and copied.shape != old[name].shape
            noise = _NOISE * copied.std() * torch.randn_like(copied) if learns else 0.0
            target.copy_(copied + noise)
        elif "to_out" in name:
            target.zero_()
    return wide


def _spread(weight: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """`weight` with its outputs, and the shares of its inputs, repeated until it has `shape`."""
    outputs = shape[0] // weight.shape[0]
    made = weight.repeat(outputs, *[1] * (weight.ndim - 1))
    if weight.ndim > 1 and (inputs := shape[1] // weight.shape[1]) > 1:
        shares = [0.5**i for i in range(1, inputs)]
        made = torch.cat([share * made for share in (*shares, shares[-1])], dim=1)
    return made
