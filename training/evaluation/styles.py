"""Measures what the two style LoRAs do to pictures, on the 4-step UNet and on both community bases, and draws a sheet.

python -m training.evaluation.styles
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch
from PIL import Image

from training.data.composites import to_tensor, to_unit
from training.data.restyled import BLOCK, RESTYLES
from training.evaluation import sheets
from training.evaluation.prompts import NO_STYLE, Wish, wishes
from training.evaluation.setups import FOUR, SIZE, Setup, call_arguments, lora_on, pipeline
from training.evaluation.sheets import SHOWN
from training.family.members import LINE_LORA, PIXEL_LORA
from training.loop.run import arguments
from training.networks.vae import reconstructed

SETUPS = (FOUR, lora_on("fluent", 0.75), lora_on("twemoji", 0.75))
SCALES = (0.0, 0.5, 1.0)
LORAS = {"pixel": PIXEL_LORA, "line": LINE_LORA}


def flatness(image: Image.Image) -> float:
    """The share of all steps from a pixel to the next, across and down, that fall on the blocks' borders.

    An eighth where there are no blocks; 1 where each is of one colour.
    """
    pixels = np.asarray(image.convert("RGB"), np.float32)
    on_border = whole = 0.0
    for axis in (0, 1):
        steps = np.abs(np.diff(pixels, axis=axis)).sum(axis=(1 - axis, 2))
        on_border += float(steps[BLOCK - 1 :: BLOCK].sum())
        whole += float(steps.sum())
    return on_border / whole if whole else 0.0


def saturation(image: Image.Image) -> float:
    """The mean difference of a pixel's largest and smallest channel, 0 to 1: none in black, white and grey."""
    pixels = np.asarray(image.convert("RGB"), np.float32) / 255
    return float((pixels.max(axis=2) - pixels.min(axis=2)).mean())


MEASURES = {"pixel": flatness, "line": saturation}
"""What each LoRA is made to change: steps on the blocks' borders go up, colour goes away."""


def styled(made: Any, setup: Setup, style: str, scale: float, chosen: list[Wish]) -> list[Image.Image]:
    """A picture a wish, by a pipeline that has that style's LoRA."""
    distilled = {} if setup.lora_scale is None else {"dmd2": setup.lora_scale}
    scales = {**distilled, style: scale}
    made.set_adapters(list(scales), list(scales.values()))
    images: list[Image.Image] = made(
        [wish.prompt(NO_STYLE) for wish in chosen],
        width=SIZE,
        height=SIZE,
        generator=[torch.Generator().manual_seed(wish.seed) for wish in chosen],
        **call_arguments(setup),
    ).images
    return images


def by_algorithm(made: Any, style: str, images: list[Image.Image]) -> list[Image.Image]:
    """The pictures as the style's algorithm has them, through the VAE, which no LoRA gets past."""
    pixels = to_unit(to_tensor([RESTYLES[style](image) for image in images]))
    shown: list[Image.Image] = made.image_processor.postprocess(reconstructed(made.vae, pixels))
    return shown


def measured(style: str, images: list[Image.Image]) -> str:
    """The mean of the style's measure."""
    return f"{100 * float(np.mean([MEASURES[style](image) for image in images])):.1f} %"


def main() -> None:
    """Prints the model card's table and writes its sheet."""
    options: Any = arguments(__doc__, steps=0, extend=_options)
    chosen = wishes(options.count)
    print(f"{len(chosen)} pictures each\n")
    print(f"| | {' | '.join(f'scale {scale:g}' for scale in SCALES)} | the algorithm's own |\n|---|---|---|---|---|")
    rows: list[Image.Image] = []
    for style, path in LORAS.items():
        for setup in SETUPS:
            made = pipeline(setup)
            made.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name=style)
            drawn = [styled(made, setup, style, scale, chosen) for scale in SCALES]
            row = [measured(style, images) for images in (*drawn, by_algorithm(made, style, drawn[0]))]
            print(f"| {style} on {setup.name} | {' | '.join(row)} |", flush=True)
            if setup is FOUR:
                # Scale 0 is one row for both.
                for scale in SCALES[1:] if rows else SCALES:
                    rows += styled(made, setup, style, scale, list(SHOWN))
    sheets.save([rows[i : i + len(SHOWN)] for i in range(0, len(rows), len(SHOWN))], "styles")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=16, help="pictures of each configuration")


if __name__ == "__main__":
    main()
