"""A canny picture follows its edges: the shipped adapter on the page's own examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dmd2_demo.models.catalogue import FAMILIES
from tests.embedded import EmbeddedRuntime, canny
from training.data.edge_maps import edge_map
from training.evaluation.edge_recall import recall

EXAMPLES = FAMILIES["embedded"].canny_examples


def share(setup: EmbeddedRuntime, guided_steps: int) -> float:
    """Of the examples' edges, those found in the pictures made from them, three seeds each."""
    found = []
    for example in EXAMPLES:
        assert example.image is not None
        image = Image.open(example.image).convert("RGB")
        for seed in range(3):
            drawn = setup.make(canny(image, prompt=example.prompt, seed=seed, guided_steps=guided_steps))
            found.append(recall(edge_map(image.resize(drawn.size)), edge_map(drawn)))
    return float(np.mean(found))


def test_guided_pictures_have_far_more_of_the_edges(tmp_path: Path) -> None:
    setup = EmbeddedRuntime.open(tmp_path)
    alone, guided = share(setup, 0), share(setup, FAMILIES["embedded"].guided_steps)
    assert guided > 1.5 * alone
