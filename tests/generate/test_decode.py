from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from diffusers.image_processor import VaeImageProcessor
from torch import nn

from dmd2_demo.errors import DemoError, Tier
from dmd2_demo.generate.decode import MENDED, decode
from dmd2_demo.generate.picture import Decoded
from tests.tiny import make_vae


@pytest.fixture
def vae() -> AutoencoderKL:
    torch.manual_seed(0)
    vae = make_vae().eval()
    vae.register_to_config(force_upcast=False)
    return vae


@pytest.fixture
def latents() -> torch.Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))


class Overflow(nn.Module):
    """In place of the last layer: what it gives in half precision is `value`; in float32 it is the layer."""

    def __init__(self, layer: Any, value: float) -> None:
        super().__init__()
        self.weight, self.bias, self.value = layer.weight, layer.bias, value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pixels = nn.functional.conv2d(x, self.weight, self.bias, padding=1)
        return pixels if x.dtype == torch.float32 else torch.full_like(pixels, self.value)


def overflowing(vae: AutoencoderKL, value: float) -> AutoencoderKL:
    vae.decoder.conv_out = Overflow(vae.decoder.conv_out, value)
    return vae.to(torch.bfloat16)


def pixels(drawn: Decoded) -> Any:
    return np.asarray(drawn.image).astype(int)


def test_in_float32_it_is_what_the_pipelines_do(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    with torch.no_grad():
        plain = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
    drawn = decode(vae, latents)
    assert drawn.image.tobytes() == VaeImageProcessor().postprocess(plain, output_type="pil")[0].tobytes()
    assert drawn.image.size == (64, 64)
    assert drawn.notices == ()


def test_the_vaes_own_mean_and_deviation_count(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    plain = decode(vae, latents)
    vae.register_to_config(latents_mean=[0.0] * 4, latents_std=[1.0] * 4)
    assert decode(vae, latents).image.tobytes() == plain.image.tobytes()
    vae.register_to_config(latents_mean=[0.5] * 4, latents_std=[2.0] * 4)
    assert decode(vae, latents).image.tobytes() != plain.image.tobytes()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -1.5])
def test_what_overflows_in_half_precision_is_decoded_again_and_said(
    vae: AutoencoderKL, latents: torch.Tensor, value: float
) -> None:
    whole = pixels(decode(vae, latents))
    half = overflowing(vae, value)
    before = {name: tensor.clone() for name, tensor in half.state_dict().items()}
    mended = decode(half, latents.to(torch.bfloat16))
    assert mended.notices == (MENDED,)
    assert np.abs(pixels(mended) - whole).mean() < 3  # the weights are rounded to bfloat16
    assert all(torch.equal(tensor, before[name]) for name, tensor in half.state_dict().items())


def test_a_vae_that_must_not_run_in_half_precision_never_does(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    half = overflowing(vae, float("nan"))
    half.register_to_config(force_upcast=True)
    drawn = decode(half, latents.to(torch.bfloat16))
    assert drawn.notices == ()
    assert pixels(drawn).any()


def test_a_picture_that_is_black_is_allowed_to_be(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    nn.init.zeros_(vae.decoder.conv_out.weight)
    nn.init.constant_(vae.decoder.conv_out.bias, -1)
    for precision in (torch.float32, torch.bfloat16):
        drawn = decode(vae.to(precision), latents.to(precision))
        assert not pixels(drawn).any()
        assert drawn.notices == ()


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_latents_that_are_no_numbers_are_an_error_and_no_picture(vae: AutoencoderKL, precision: torch.dtype) -> None:
    with pytest.raises(DemoError, match="overflowed"):
        decode(vae.to(precision), torch.full((1, 4, 8, 8), float("nan"), dtype=precision))


class Grey:
    """A VAE of one small answer."""

    dtype = torch.float32
    use_tiling = False
    config = SimpleNamespace(force_upcast=False, scaling_factor=1)

    def decode(self, latents: torch.Tensor, return_dict: bool) -> tuple[torch.Tensor]:
        return (torch.zeros(1, 3, 8, 8),)


@pytest.mark.parametrize(
    ("size", "tier", "tiled"),
    [
        ((1024, 1024), "resident", False),
        ((512, 2048), "offload", False),
        ((1024, 1544), "offload", True),
        ((768, 768), "sequential", False),
        ((1024, 1024), "sequential", True),
    ],
)
def test_only_large_pictures_are_decoded_in_tiles(size: tuple[int, int], tier: Tier, tiled: bool) -> None:
    vae = Grey()
    decode(vae, torch.zeros(1, 4, size[0] // 8, size[1] // 8), tier)
    assert vae.use_tiling == tiled
    decode(vae, torch.zeros(1, 4, 8, 8), tier)
    assert not vae.use_tiling


def test_tiles_make_the_whole_picture(vae: AutoencoderKL) -> None:
    latents = torch.randn(1, 4, 104, 96, generator=torch.Generator().manual_seed(1))
    drawn = decode(vae, latents, "sequential")
    assert vae.use_tiling
    assert drawn.image.size == (768, 832)
