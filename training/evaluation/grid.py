"""Pictures side by side."""

from __future__ import annotations

from PIL import Image


def grid(images: list[Image.Image], across: int, gap: int = 0) -> Image.Image:
    """`images`, all of one size, `across` in a row, black between them and around where there is a `gap` of pixels."""
    width, height = (side + gap for side in images[0].size)
    made = Image.new("RGB", (width * across + gap, height * -(-len(images) // across) + gap))
    for i, image in enumerate(images):
        made.paste(image, (gap + width * (i % across), gap + height * (i // across)))
    return made
