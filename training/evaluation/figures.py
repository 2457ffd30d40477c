"""Measures the family, and draws the sheets of pictures for its model card.

python -m training.evaluation.figures
"""

from __future__ import annotations

import argparse
import hashlib
import json
from typing import Any

import numpy as np
import torch
from PIL import Image

from training.evaluation import couples, sheets
from training.evaluation.classifier import Classifier, accuracy, held_out_accuracy, load_classifier
from training.evaluation.edge_recall import draw_guided, mean_recall, recall_through_vae
from training.evaluation.prompts import FULL, NO_STYLE, Wish, couple_wishes, held_out_wishes, wishes
from training.evaluation.setups import FOUR, MAIN, ONE, TEACHER, Setup, draw, lora_on
from training.evaluation.setups import communities as community_setups
from training.folders import WORK
from training.loop.run import arguments
from training.stages import communities

_RESULTS = WORK / "evaluation.json"
_DIVERSITY_THINGS = ("cat", "car", "pizza", "penguin", "house", "tulip", "rocket", "frog")
_DIVERSITY_SEEDS = 12
_MAPS = 200
Row = dict[str, float]


class Results:
    """What has been measured, kept by the weights that it was measured on, and by those of the classifier."""

    def __init__(self, classifier: Classifier) -> None:
        self._rows: dict[str, Row] = json.loads(_RESULTS.read_text()) if _RESULTS.exists() else {}
        state = torch.nn.utils.parameters_to_vector(classifier.parameters()).detach()
        self._judge = hashlib.sha256(state.numpy().tobytes()).hexdigest()[:16]

    def measured(self, setup: Setup, kind: str, count: int, measure: Any) -> Row:
        """`measure()`, unless these weights were measured so before."""
        key = f"{kind} {count} {setup.fingerprint()} {self._judge}"
        if key not in self._rows:
            print(f"... {kind}: {setup.name}", flush=True)
            self._rows[key] = measure()
            partial = _RESULTS.with_suffix(".partial")
            partial.write_text(json.dumps(self._rows, indent=1))
            partial.replace(_RESULTS)
        return self._rows[key]


def named(classifier: Classifier, setup: Setup, chosen: list[Wish], template: str) -> Row:
    """Shares of thing, style and colour that came out as wished, and of each style drawn."""
    images = list(draw(setup, [wish.prompt(template) for wish in chosen], [wish.seed for wish in chosen]))
    found = [name for i in range(0, len(images), 50) for name in classifier.names(images[i : i + 50])]
    row = accuracy(found, [wish.names for wish in chosen])
    styles = [style for _, style, _ in found]
    return {**row, **{f"in {style}": styles.count(style) / len(styles) for style in communities.COMMUNITIES}}


def diversity(setup: Setup) -> Row:
    """Mean distance (root mean square, colours 0..1) of pictures of one prompt that leaves much open."""
    distances = []
    for thing in _DIVERSITY_THINGS:
        prompts = [Wish(thing, "", "", 0).prompt("a {thing}")] * _DIVERSITY_SEEDS
        images = draw(setup, prompts, [800_000 + i for i in range(_DIVERSITY_SEEDS)])
        pixels = np.stack([np.asarray(image, np.float32).ravel() / 255 for image in images])
        flat = torch.cdist(torch.from_numpy(pixels), torch.from_numpy(pixels)) / pixels.shape[1] ** 0.5
        distances.append(float(flat.sum() / (len(pixels) * (len(pixels) - 1))))
    return {"distance": float(np.mean(distances))}


def _table(title: str, columns: list[str], rows: list[tuple[str, Row]]) -> None:
    print(f"\n{title}\n\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, row in rows:
        cells = [f"{row[c]:.3f}" if c == "distance" else f"{100 * row[c]:.1f} %" if c in row else "" for c in columns]
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    """Prints every table of the model card and writes its sheets."""
    options: Any = arguments(__doc__, steps=0, extend=_options)
    classifier = load_classifier()
    results, size = Results(classifier), sum(weight.numel() for weight in classifier.parameters())
    print(f"classifier of {size:,} parameters on composites not trained on: {held_out_accuracy(classifier)}")
    chosen, fewer = wishes(options.count), wishes(options.community_count)
    unseen = held_out_wishes(options.count)

    def row(setup: Setup, picked: list[Wish], template: str) -> tuple[str, Row]:
        def measure() -> Row:
            return named(classifier, setup, picked, template)

        kind = f"{'held out' if picked is unseen else 'named'} {template}"
        return setup.name, results.measured(setup, kind, len(picked), measure)

    rows = [row(setup, chosen, FULL) for setup in MAIN]
    _table(f"{options.count} pictures each, prompts not trained on", ["thing", "style", "colour"], rows)
    rows = [row(setup, unseen, FULL) for setup in MAIN[:4]]
    _table(f"combinations not trained on, {len(unseen)} pictures each", ["thing", "style", "colour"], rows)
    together = couple_wishes(options.community_count)

    def both(setup: Setup) -> Row:
        images = draw(setup, [wish.prompt(FULL) for wish in together], [wish.seed for wish in together])
        return couples.named(classifier, together, images)

    rows = [(one.name, results.measured(one, "couples", len(together), lambda one=one: both(one))) for one in MAIN[:4]]
    rows.append(("the art itself", couples.named_in_art(classifier, len(together))))
    _table(f"two things never shown together, {len(together)} pictures each", ["both", "one"], rows)
    for style in communities.COMMUNITIES:
        # No style word: what counts is whether the community base's own style survives.
        rows = [row(setup, fewer, NO_STYLE) for setup in (lora_on("base", 1.0), *community_setups(style))]
        _table(f"{style}, {len(fewer)} pictures each", ["thing", f"in {style}", "colour"], rows)
    diverse = [
        (one.name, results.measured(one, "diversity", _DIVERSITY_SEEDS, lambda one=one: diversity(one)))
        for one in (TEACHER, FOUR, ONE, lora_on("base", 1.0))
    ]
    _table(f"diversity, {len(_DIVERSITY_THINGS)} prompts of {_DIVERSITY_SEEDS} pictures", ["distance"], diverse)
    drawn = draw_guided(_MAPS)
    names = [one.composite.names for one in drawn]

    def guided(images: list[Image.Image]) -> Row:
        return {"recall": mean_recall(drawn, images), "thing": accuracy(classifier.names(images), names)["thing"]}

    rows = [
        ("4-step UNet alone", guided([one.without for one in drawn])),
        ("with the adapter, 2 guided steps", guided([one.two_steps for one in drawn])),
        ("with the adapter, 4 guided steps", guided([one.four_steps for one in drawn])),
        ("the art itself through the VAE", {"recall": recall_through_vae(drawn)}),
    ]
    _table(f"canny: edges found within a pixel, {_MAPS} maps not trained on", ["recall", "thing"], rows)
    sheets.write(drawn)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=400, help="pictures of each of the base's configurations")
    parser.add_argument(
        "--community-count", type=int, default=150, help="of each of the communities', and of two things"
    )


if __name__ == "__main__":
    main()
