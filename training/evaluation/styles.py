"""Measures what the two style LoRAs do to pictures, on the 4-step UNet and on both community bases.

python -m training.evaluation.styles
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from training.data.restyled import BLOCK
from training.evaluation.prompts import NO_STYLE, Wish, wishes
from training.evaluation.setups import FOUR, SIZE, Setup, call_arguments, lora_on, pipeline
from training.family.members import LINE_LORA, PIXEL_LORA
from training.loop.run import arguments

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


def measured(made: Any, setup: Setup, style: str, scale: float, chosen: list[Wish]) -> float:
    """The mean of the style's measure over a picture a wish."""
    names = [*(["dmd2"] if setup.lora_scale is not None else []), style]
    made.set_adapters(names, [setup.lora_scale, scale] if setup.lora_scale is not None else [scale])
    images: list[Image.Image] = made(
        [wish.prompt(NO_STYLE) for wish in chosen],
        width=SIZE,
        height=SIZE,
        generator=[torch.Generator().manual_seed(wish.seed) for wish in chosen],
        **call_arguments(setup),
    ).images
    return float(np.mean([MEASURES[style](image) for image in images]))


def main() -> None:
    """Prints the model card's table."""
    options: Any = arguments(
        __doc__, steps=0, extend=lambda parser: parser.add_argument("--count", type=int, default=40)
    )
    chosen = wishes(options.count)
    print(
        f"{len(chosen)} pictures each\n\n| | {' | '.join(f'scale {scale:g}' for scale in SCALES)} |\n|---|---|---|---|"
    )
    for style, path in LORAS.items():
        for setup in SETUPS:
            made = pipeline(setup)
            made.load_lora_weights(str(Path(path).parent), weight_name=path.name, adapter_name=style)
            row = [measured(made, setup, style, scale, chosen) for scale in SCALES]
            print(f"| {style} on {setup.name} | {' | '.join(f'{100 * value:.1f} %' for value in row)} |", flush=True)


if __name__ == "__main__":
    main()
