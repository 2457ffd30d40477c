"""The art once more in styles that an algorithm gives it, to train style LoRAs on: plain to see, easy to measure."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops, ImageFilter, ImageOps

BLOCK = 8  # pixels of one side of what pixel art shows as one, which is what one latent covers
_COLOURS = 12

Restyle = Callable[[Image.Image], Image.Image]


def pixel(image: Image.Image) -> Image.Image:
    """The picture in blocks of `BLOCK` pixels and a dozen colours."""
    small = image.resize((image.width // BLOCK, image.height // BLOCK), Image.Resampling.BOX)
    few = small.quantize(_COLOURS, dither=Image.Dither.NONE).convert("RGB")
    return few.resize(image.size, Image.Resampling.NEAREST)


def line(image: Image.Image) -> Image.Image:
    """The picture as a drawing in black lines on white paper."""
    smooth = image.filter(ImageFilter.GaussianBlur(1))
    # The difference of the widest and the narrowest colour around each pixel, largest of the three channels.
    wide, narrow = smooth.filter(ImageFilter.MaxFilter(3)), smooth.filter(ImageFilter.MinFilter(3))
    red, green, blue = ImageChops.difference(wide, narrow).split()
    edges = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    dark = edges.point(lambda value: min(255, max(0, value - 8) * 5))
    return ImageOps.invert(dark).convert("RGB")


RESTYLES: dict[str, Restyle] = {"pixel": pixel, "line": line}
