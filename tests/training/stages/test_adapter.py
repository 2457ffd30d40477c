"""What the adapter is trained on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from training.data.composites import to_unit
from training.data.edge_maps import edge_map
from training.diffusion.noise import Noise
from training.diffusion.sampling import FOUR_STEPS, simulate
from training.family.members import load_unet
from training.networks.adapter import make_adapter
from training.networks.text import Condition
from training.stages.adapter import faintness, near_edges, picture_error

CPU = torch.device("cpu")


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


def test_an_error_at_an_edge_weighs_more() -> None:
    wanted = torch.zeros(1, 3, 32, 32)
    at_edge, elsewhere = wanted.clone(), wanted.clone()
    at_edge[..., 16] += 1
    elsewhere[..., 4] += 1
    assert picture_error(wanted, wanted, an_edge()) == 0
    assert picture_error(at_edge, wanted, an_edge()) > 2 * picture_error(elsewhere, wanted, an_edge())


@pytest.mark.parametrize(("step", "found"), [(10, False), (40, False), (60, True), (200, True)])
def test_an_edge_that_canny_finds_is_not_faint(step: int, found: bool) -> None:
    image = np.full((32, 32, 3), 20, np.uint8)
    image[:, 16:] += np.uint8(step)
    drawn = to_unit(torch.from_numpy(image).permute(2, 0, 1)[None])
    assert edge_map(Image.fromarray(image)).any() == found
    assert (faintness(drawn, an_edge()) == 0) == found


def test_an_edge_is_the_fainter_the_smaller_its_step() -> None:
    pictures = [torch.zeros(1, 3, 32, 32) for _ in range(3)]
    for picture, step in zip(pictures, (0.0, 0.1, 0.2), strict=True):
        picture[..., 16:] += step
    none, little, more = (faintness(picture, an_edge()) for picture in pictures)
    assert none == 1
    assert none > little > more


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
