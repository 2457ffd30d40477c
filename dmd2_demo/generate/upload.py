"""Pictures from visitors: opened with care, turned upright, flattened to RGB."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dmd2_demo.errors import DemoError
from dmd2_demo.models.content import require_itself

MOST_PIXELS = 100_000_000


def open_picture(path: str | Path | None) -> Image.Image:
    """The picture in a file as upright RGB; transparency becomes white.

    Raises DemoError where there is none, where it is cut off or too large, or is no picture at all.
    """
    if path is None:
        raise DemoError("Choose a picture first.")
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures, whose limit below is ours, and of odd EXIF data, which is harmless.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    raise DemoError(f"The picture is too large: {width} x {height} pixels.")
                image.load()
                return rgb(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError:
        raise DemoError("The picture is too large.") from None
    except UnidentifiedImageError:
        require_itself(Path(path))
        raise DemoError("That file is not a picture that can be read.") from None
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError):
        raise DemoError("The picture is damaged or cut off.") from None


def rgb(image: Image.Image) -> Image.Image:
    """`image` as RGB, whatever its mode: 16 bits scaled to 8, transparency on white."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        # Pillow's own conversion clips everything above 255 to white.
        values = np.asarray(image, dtype=np.float64)
        most = 65535.0 if values.max(initial=0) > 255 else 255.0
        image = Image.fromarray((values / most * 255).clip(0, 255).round().astype(np.uint8))
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
    return image.convert("RGB")
