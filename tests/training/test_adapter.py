"""What the adapter is trained on."""

from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKL

from training.adapter import make_adapter, near_edges, picture_error
from training.members import load_unet, load_vae
from training.noise import Noise
from training.sampling import FOUR_STEPS, simulate
from training.text import Condition

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vae() -> AutoencoderKL:
    return load_vae(CPU)


def an_edge() -> torch.Tensor:
    """A map of 32 x 32 pixels with one edge, down the middle."""
    edges = torch.zeros(1, 3, 32, 32)
    edges[..., 16] = 1
    return edges


def test_cells_that_an_edge_runs_through_count_more() -> None:
    weight = near_edges(an_edge(), cell=8, most=4)
    assert weight.shape == (1, 1, 4, 4)
    torch.testing.assert_close(weight.mean(), torch.tensor(1.0))
    torch.testing.assert_close(weight[..., 2], 4 * weight[..., 0])


def test_the_same_latents_make_no_error(vae: AutoencoderKL) -> None:
    latents = torch.randn(1, 4, 4, 4)
    assert picture_error(vae, latents, latents.clone(), an_edge()) == 0


def test_an_error_at_an_edge_weighs_more(vae: AutoencoderKL) -> None:
    wanted = torch.zeros(1, 4, 4, 4)
    at_edge, elsewhere = wanted.clone(), wanted.clone()
    at_edge[..., 2] += 1
    elsewhere[..., 0] += 1
    near, far = (picture_error(vae, drawn, wanted, an_edge()) for drawn in (at_edge, elsewhere))
    assert near > 1.5 * far


@pytest.mark.parametrize("guided", [2, 4])
def test_what_is_learned_comes_from_the_end_of_the_way(guided: int) -> None:
    # Of two guided steps the picture's error must still reach the adapter, through the two that were not.
    adapter, unet = make_adapter(), load_unet(CPU)
    features = adapter(torch.rand(1, 3, 128, 128))
    guides = [{"down_intrablock_additional_residuals": list(features)} if i < guided else {} for i in range(4)]
    condition = Condition(torch.randn(1, 24, 112), torch.randn(1, 64), torch.ones(1, 6))
    _, drawn = simulate(unet, Noise(CPU), condition, torch.randn(1, 4, 16, 16), FOUR_STEPS, guides.__getitem__)
    drawn[-1].square().mean().backward()
    gradients = [parameter.grad for parameter in adapter.parameters()]
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)
