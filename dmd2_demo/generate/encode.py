"""Pictures into latents, as diffusers' own image-to-image pipeline makes them."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from dmd2_demo.errors import Tier
from dmd2_demo.generate.decode import in_float32, is_tiled, statistics


@torch.no_grad()
def encode(
    vae: Any, image: Image.Image, generator: torch.Generator, device: torch.device, tier: Tier = "resident"
) -> torch.Tensor:
    """The latents of `image`, sampled with `generator`, of shape (1, 4, height / 8, width / 8), on `device`.

    Its sides are multiples of 8.
    """
    pixels = VaeImageProcessor().preprocess(image).to(device, vae.dtype)
    encoder = vae
    if vae.dtype != torch.float32 and vae.config.force_upcast:
        encoder, pixels = in_float32(vae, device), pixels.float()
    encoder.use_tiling = is_tiled(image.size, tier)
    encoded = encoder.encode(pixels)
    # The tiny VAE gives latents, the other a distribution of them.
    latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.sample(generator)
    latents = latents.to(vae.dtype)
    found = statistics(vae, latents)
    if found is None:
        return vae.config.scaling_factor * latents  # type: ignore[no-any-return]
    mean, std = found
    return (latents - mean) * vae.config.scaling_factor / std  # type: ignore[no-any-return]
