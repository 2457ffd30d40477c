"""Latents into pixels, seen to be a picture: half precision can overflow in the VAE, and then everything is black."""

from __future__ import annotations

import math
from typing import Any

import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from dmd2_demo.errors import DemoError, Tier
from dmd2_demo.generate.picture import Decoded
from dmd2_demo.models.parts import LARGEST_UNTILED

# Where memory is least, only small pictures are decoded in one piece.
_LARGEST_UNTILED_SEQUENTIAL = 768 * 768

MENDED = "The picture came out black in half precision, so it was decoded again in full precision."


@torch.no_grad()
def decode(vae: Any, latents: torch.Tensor, tier: Tier = "resident") -> Decoded:
    """The picture of `latents` (1, 4, height / 8, width / 8), as the pipelines decode it, and a notice if mended.

    Raises DemoError where the latents themselves are no numbers.
    """
    tiled = is_tiled((latents.shape[-1] * 8, latents.shape[-2] * 8), tier)
    dtype = vae.dtype  # diffusers looks through all modules for it
    half = dtype != torch.float32
    if not (half and vae.config.force_upcast):
        pixels = _decode(vae, latents.to(dtype), tiled)
        if _shows(pixels):
            return Decoded(_image(pixels))
        if not half:
            return Decoded(_image(_numbers(pixels)))
    again = _numbers(_decode(in_float32(vae, latents.device), latents.float(), tiled))
    mended = not vae.config.force_upcast and _shows(again)
    return Decoded(_image(again), (MENDED,) if mended else ())


def is_tiled(size: tuple[int, int], tier: Tier) -> bool:
    """Whether a VAE takes a picture of `size` (width, height) in tiles."""
    return math.prod(size) > (_LARGEST_UNTILED_SEQUENTIAL if tier == "sequential" else LARGEST_UNTILED)


def statistics(vae: Any, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Mean and standard deviation of the VAE's own latents, where its config has them, as `latents` are."""
    mean, std = (getattr(vae.config, name, None) for name in ("latents_mean", "latents_std"))
    if mean is None or std is None:
        return None
    mean, std = (torch.tensor(values).view(1, -1, 1, 1).to(latents) for values in (mean, std))
    return mean, std


def _decode(vae: Any, latents: torch.Tensor, tiled: bool) -> torch.Tensor:
    vae.use_tiling = tiled
    found = statistics(vae, latents)
    if found is None:
        scaled = latents / vae.config.scaling_factor
    else:
        mean, std = found
        scaled = latents * std / vae.config.scaling_factor + mean
    pixels: torch.Tensor = vae.decode(scaled, return_dict=False)[0]
    return pixels


def _shows(pixels: torch.Tensor) -> bool:
    """Whether there is anything but numbers gone wrong and black, which is -1."""
    low, high = torch.stack(torch.aminmax(pixels)).tolist()  # NaN goes through both
    return math.isfinite(low) and math.isfinite(high) and high > -1


def _numbers(pixels: torch.Tensor) -> torch.Tensor:
    if not bool(pixels.isfinite().all()):
        raise DemoError("The model's numbers overflowed and there is no picture. Another seed or prompt may work.")
    return pixels


def in_float32(vae: Any, device: torch.device) -> Any:
    """A copy for once: the VAE itself, which others share and which may be on its way between memories, stays."""
    with torch.device("meta"):
        copy = type(vae).from_config(vae.config)
    weights = {name: tensor.to(device, torch.float32) for name, tensor in vae.state_dict().items()}
    copy.load_state_dict(weights, assign=True)
    return copy.eval()


def _image(pixels: torch.Tensor) -> Image.Image:
    image: Image.Image = VaeImageProcessor().postprocess(pixels, output_type="pil")[0]
    return image
