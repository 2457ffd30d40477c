"""An untrained tiny VAE over the same latents: what `taesdxl` is to SDXL, scaled down."""

from __future__ import annotations

import torch
from diffusers import AutoencoderTiny
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from torch import nn
from torch.nn import functional

_WIDTH = 16
# A block at the picture's own resolution would take as long as all others together.
_DECODER_BLOCKS = (6, 5, 2, 0)


def make_tiny_vae() -> AutoencoderTiny:
    """No norms, no attention, most of its layers where pictures are small."""
    return AutoencoderTiny(
        encoder_block_out_channels=(_WIDTH,) * 4,
        decoder_block_out_channels=(_WIDTH,) * 4,
        num_encoder_blocks=(1, 2, 3, 3),
        num_decoder_blocks=_DECODER_BLOCKS,
        latent_channels=4,
        scaling_factor=1.0,
    )


@torch.no_grad()
def start_linear(tiny: AutoencoderTiny, latents: torch.Tensor, pixels: torch.Tensor) -> None:
    """Lets the decoder begin at the best linear map from a latent to its 8 x 8 pixels' mean colour, enlarged.

    From the library's random start it hardly learns. `latents` (n, 4, height / 8, width / 8) are those of `pixels`.
    """
    first, *others, last = [layer for layer in tiny.decoder.layers if isinstance(layer, nn.Conv2d)]
    colours = functional.avg_pool2d((pixels + 1) / 2, 8).permute(0, 2, 3, 1).flatten(0, 2)
    inputs = (3 * torch.tanh(latents / 3)).permute(0, 2, 3, 1).flatten(0, 2)
    found = torch.linalg.lstsq(torch.cat([inputs, torch.ones_like(inputs[:, :1])], 1), colours).solution
    count = latents.shape[1]
    # All features are at least 0, hence one for a latent's channel and one for its negative.
    signs = torch.cat([torch.eye(count), -torch.eye(count)]).to(latents.device)
    smooth = torch.outer(*[torch.tensor([0.25, 0.5, 0.25], device=latents.device)] * 2)
    assert first.bias is not None
    assert last.bias is not None
    first.weight[: 2 * count] = 0
    first.weight[: 2 * count, :, 1, 1] = signs
    first.bias[: 2 * count] = 0
    for conv in others:
        conv.weight[: 2 * count] *= 0.1
        for i in range(2 * count):
            conv.weight[i, i] += smooth
    last.weight *= 0.1
    last.weight[:, : 2 * count, 1, 1] += found[:count].T @ signs.T
    last.bias.copy_(found[count])
    for block in tiny.decoder.layers:
        if isinstance(block, AutoencoderTinyBlock):
            block.conv[-1].weight *= 0.1
            block.conv[-1].bias *= 0.1
