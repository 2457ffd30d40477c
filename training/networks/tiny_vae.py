"""An untrained tiny VAE over the same latents: what `taesdxl` is to SDXL, scaled down."""

from __future__ import annotations

from diffusers import AutoencoderTiny

_WIDTH = 16


def make_tiny_vae() -> AutoencoderTiny:
    """No norms, no attention, most of its layers where pictures are small."""
    return AutoencoderTiny(
        encoder_block_out_channels=(_WIDTH,) * 4,
        decoder_block_out_channels=(_WIDTH,) * 4,
        num_encoder_blocks=(1, 2, 3, 3),
        num_decoder_blocks=(6, 5, 3, 1),
        latent_channels=4,
        scaling_factor=1.0,
    )
