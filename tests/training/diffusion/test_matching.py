from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from training.diffusion.adversary import Adversary
from training.diffusion.matching import GUIDANCE, Matching
from training.diffusion.noise import Noise
from training.diffusion.sampling import FOUR_STEPS
from training.networks.text import Condition

CPU = torch.device("cpu")


class Net(nn.Module):
    """Predicts `weight` times its input, whatever the text."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, noisy: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor]:
        return (self.weight * noisy,)


class Told(Net):
    """Predicts more of its input where there is text."""

    def forward(self, noisy: torch.Tensor, *others: Any, **_: Any) -> tuple[torch.Tensor]:
        return ((self.weight + others[1].abs().mean((1, 2)))[:, None, None, None] * noisy,)


class Silent(Adversary):
    """Finds nothing."""

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def heard(self) -> torch.Tensor:
        return torch.zeros(16)

    def likeness_gradient(self, *args: Any) -> torch.Tensor:
        return torch.zeros(())


def matching(
    teacher: float, fake: float, kind: type[Net] = Net, guidance: float = GUIDANCE
) -> tuple[Matching, Net, Net]:
    generator, fake_net = Net(0.5), kind(fake)
    own, other = (torch.optim.SGD(net.parameters(), lr=0.01) for net in (generator, fake_net))
    scorers = kind(teacher), fake_net
    made = Matching(generator, *scorers, Noise(CPU), own, other, Silent(), realism=0.5, guidance=guidance)
    return made, generator, fake_net


def run(made: Matching, *, generate_too: bool = True) -> None:
    torch.manual_seed(0)
    condition = Condition(torch.randn(8, 3, 5), torch.randn(8, 5), torch.ones(8, 6))
    made.round(condition, torch.randn(8, 4, 4, 4), FOUR_STEPS, 1, generate_too)


def test_where_both_scores_agree_the_generator_stays() -> None:
    made, generator, _ = matching(teacher=0.8, fake=0.8)
    made.fake_step = lambda *_: 0.0  # type: ignore[method-assign]
    run(made)
    assert abs(generator.weight.item() - 0.5) < 1e-4


def test_where_they_differ_it_moves() -> None:
    made, generator, _ = matching(teacher=0.8, fake=0.3)
    run(made)
    assert abs(generator.weight.item() - 0.5) > 1e-3


@pytest.mark.parametrize(("guidance", "moves"), [(1.0, False), (4.0, True)])
def test_guidance_is_the_teachers_alone(guidance: float, moves: bool) -> None:
    made, generator, _ = matching(teacher=0.8, fake=0.8, kind=Told, guidance=guidance)
    made.fake_step = lambda *_: 0.0  # type: ignore[method-assign]
    run(made)
    assert (abs(generator.weight.item() - 0.5) > 1e-3) == moves


def test_warming_up_the_fake_net_learns_alone() -> None:
    made, generator, fake = matching(teacher=0.8, fake=0.3)
    run(made, generate_too=False)
    assert generator.weight.item() == 0.5
    assert abs(fake.weight.item() - 0.3) > 1e-4
