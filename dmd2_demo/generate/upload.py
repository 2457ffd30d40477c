"""Pictures from visitors: opened with care, turned upright, flattened to RGB of 8 bits."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageStat

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.apart import apart
from dmd2_demo.generate.bit_depth import eight_bits
from dmd2_demo.generate.held_pictures import HeldPictures
from dmd2_demo.generate.made_of import made_of
from dmd2_demo.generate.picture_file import exif_of, opened, require_size

# With more than 8 bits a channel, which take several times the memory.
MOST_DEEP_PIXELS = 40_000_000

# By what EXIF says of a picture's orientation. Pillow's exif_transpose writes EXIF back, which fails where that is odd.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# From 0 to 255: an alpha that is seen, and a shade that isn't on white.
_VISIBLE, _NEARLY_WHITE = 32, 200

held = HeldPictures().held
"""Counts a picture for as long as anybody has it. DemoError where too many wait already."""


def open_picture(path: str | Path | None) -> Image.Image:
    """The picture in a file as upright RGB; transparency becomes white.

    Raises DemoError where there is none, where it is cut off or too large, takes too long, or is no picture at all, and
    where too many wait already.
    """
    if path is None:
        raise DemoError("Choose a picture first.")
    return held(apart(_upright, path))


def _upright(path: str | Path) -> Image.Image:
    with opened(path) as image:
        cut = any(";16" in str(tile.args) for tile in image.tile) and not _is_wide(image)
        if cut or _is_wide(image):
            require_size(image, MOST_DEEP_PIXELS)
        image.load()
        turn = _TURNS.get(exif_of(image).get(ExifTags.Base.Orientation, 1))
        whole = _all_bits(image, path) if cut else image
        return rgb(whole if turn is None else whole.transpose(turn))


def hash_of(image: Image.Image) -> str:
    """The SHA-256 of an RGB picture's size and pixels: whether another file holds the same picture."""

    def hashed() -> str:
        return hashlib.sha256(f"{image.width}x{image.height}:".encode() + image.tobytes()).hexdigest()

    return made_of(image, "sha256", hashed)


def rgb(image: Image.Image) -> Image.Image:
    """`image` as RGB, whatever its mode, with wider numbers scaled to 8 bits.

    What is transparent becomes white, or black around what is nearly white itself.
    """
    if _is_wide(image) or (image.mode == "L" and image.getextrema()[1] == 1):
        # Pillow's own conversion clips everything above 255 to white.
        image = Image.fromarray(eight_bits(np.asarray(image)))
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layers.size, _ground(layers)), layers)
    return image.convert("RGB")


def _is_wide(image: Image.Image) -> bool:
    """Whether a pixel is a number of more than 8 bits."""
    return image.mode in {"I", "F"} or image.mode.startswith("I;16")


def _all_bits(image: Image.Image, path: str | Path) -> Image.Image:
    """`image`, of 16 bits a channel, which Pillow cuts down to the upper 8: dark where only the lower are used."""
    import cv2  # noqa: PLC0415 - only few pictures need it

    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        return image
    colours, alpha = values[..., 2::-1], values[..., 3:]
    return Image.fromarray(np.dstack([eight_bits(colours), eight_bits(alpha)]))


def _ground(layers: Image.Image) -> str:
    """What to lay RGBA on so that it is seen."""
    visible = layers.getchannel("A").point(lambda alpha: 255 * (alpha > _VISIBLE))
    shades = ImageStat.Stat(layers.convert("L"), visible)
    return "black" if shades.count[0] and shades.mean[0] > _NEARLY_WHITE else "white"
