"""A small network that names what a picture shows, to measure the family with. Not part of it.

python -m training.evaluation.classifier
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from training.data.art import load_art
from training.data.composites import Composite, composites, to_bytes, to_tensor, to_unit
from training.data.corruption import noised
from training.data.held_out import Names
from training.family.members import load_vae
from training.folders import NODE_MODULES, WORK
from training.loop.run import Run, arguments, cosine
from training.networks.vae import reconstructed
from training.words import COLOURS, STYLES, THINGS

BATCH = 32
HELD_OUT_SEED = 9000
_HEADS = (tuple(THINGS), STYLES, tuple(COLOURS))
_FILE = WORK / "classifier.pt"


class Classifier(nn.Module):
    """Pictures (n, 3, 128, 128) in -1..1 to logits for thing, style and colour."""

    def __init__(self) -> None:
        super().__init__()
        channels = (3, 24, 48, 96, 128, 160)
        self.body = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(fewer, more, 5 if fewer == 3 else 3, 2, 1), nn.BatchNorm2d(more), nn.ReLU())
                for fewer, more in pairwise(channels)
            )
        )
        self.heads = nn.ModuleList(nn.Linear(channels[-1], len(names)) for names in _HEADS)

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Three tensors of logits."""
        features = self.body(pixels).mean((2, 3))
        return [head(features) for head in self.heads]

    @torch.no_grad()
    def names(self, images: list[Image.Image]) -> list[Names]:
        """What each of `images`, all 128 x 128, shows."""
        logits = self(to_unit(to_tensor(images)))
        best = [head.argmax(-1).tolist() for head in logits]
        return [(_HEADS[0][i], _HEADS[1][j], _HEADS[2][k]) for i, j, k in zip(*best, strict=True)]


def load_classifier() -> Classifier:
    """The trained one."""
    classifier = Classifier()
    classifier.load_state_dict(torch.load(_FILE, weights_only=True)["parts"]["classifier"])
    return classifier.eval()


def targets(pictures: list[Composite]) -> torch.Tensor:
    """(n, 3): the places of thing, style and colour in their lists."""
    return torch.tensor([[head.index(name) for head, name in zip(_HEADS, p.names, strict=True)] for p in pictures])


def accuracy(found: list[Names], wanted: list[Names]) -> dict[str, float]:
    """The shares named right."""
    pairs = list(zip(found, wanted, strict=True))
    return {
        name: sum(one[i] == other[i] for one, other in pairs) / len(pairs)
        for i, name in enumerate(("thing", "style", "colour"))
    }


def _augmented(pixels: torch.Tensor) -> torch.Tensor:
    """Generated pictures are softer, noisier and more or less vivid than art."""
    if random.random() < 0.5:
        size = random.choice((32, 48, 64, 96))
        pixels = functional.interpolate(
            functional.interpolate(pixels, size=size, mode="area"), size=128, mode="bilinear"
        )
    pixels = pixels * random.uniform(0.9, 1.1) + random.uniform(-0.05, 0.05)
    return pixels + random.uniform(0, 0.1) * torch.randn_like(pixels)


def main() -> None:
    """Trains on composites, and states its accuracy on other placements.

    A third of them have been through the VAE, and a third through it with latents as uneven as generators leave them:
    a judge that knows sharp art alone calls a soft frog a pear.
    """
    options: Any = arguments(__doc__, steps=3600)
    arts = load_art(NODE_MODULES)
    pictures = composites(arts, 50, times=3)
    pool, wanted = to_tensor([picture.image for picture in pictures]), targets(pictures)
    classifier = Classifier()
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=2e-3)
    schedule = cosine(optimizer, options.steps)
    run = Run("classifier", options.steps, {"classifier": classifier, "optimizer": optimizer, "schedule": schedule})
    vae = load_vae(torch.device("cpu"))
    pool[::3] = to_bytes(reconstructed(vae, to_unit(pool[::3])))
    pool[1::3] = to_bytes(reconstructed(vae, to_unit(pool[1::3]), noised))
    for _ in run:
        chosen = torch.randint(len(pool), (BATCH,))
        logits = classifier(_augmented(to_unit(pool[chosen])))
        loss = sum(functional.cross_entropy(head, wanted[chosen, i]) for i, head in enumerate(logits))
        assert isinstance(loss, torch.Tensor)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        run.report(loss=float(loss.detach()))
    print(held_out_accuracy(classifier.eval()))


def held_out_accuracy(classifier: Classifier) -> dict[str, float]:
    """On placements that were not trained on."""
    pictures = composites(load_art(NODE_MODULES), HELD_OUT_SEED, times=1)
    found = [
        name
        for start in range(0, len(pictures), 50)
        for name in classifier.names([picture.image for picture in pictures[start : start + 50]])
    ]
    return accuracy(found, [picture.names for picture in pictures])


if __name__ == "__main__":
    main()
