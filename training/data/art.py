"""The pictures the family learns from: emoji of three free sets, each a thing drawn in a style."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import resvg_py
from PIL import Image

from training.words import STYLES, THINGS

_ICONIFY = ("noto", "twemoji")
_FLUENT = Path("@lobehub/fluent-emoji-3d/assets")
_RASTER = 256


@dataclass(frozen=True)
class Art:
    """One drawing: `image` is RGBA, square, cropped to what is drawn with a transparent surround."""

    thing: str
    style: str
    image: Image.Image


def load_art(node_modules: Path) -> list[Art]:
    """Every thing in every style, things varying fastest, from the npm packages of `training/package.json`.

    Raises FileNotFoundError where the packages are not installed (`npm ci` in `training/`).
    """
    return [
        Art(thing, style, _squared(_drawing(node_modules, style, icon)))
        for style in STYLES
        for thing, icon in THINGS.items()
    ]


def _drawing(node_modules: Path, style: str, icon: str) -> Image.Image:
    if style in _ICONIFY:
        return _rasterised(node_modules / "@iconify-json" / style, icon)
    # The 3D set is named by code point; Noto's table tells which one a name stands for.
    chars = _parsed(node_modules / "@iconify-json/noto/chars.json")
    code = next(code for code, name in chars.items() if name == icon)
    found = [node_modules / _FLUENT / f"{code}{tail}.webp" for tail in ("", "-fe0f")]
    path = next((path for path in found if path.exists()), found[0])
    return Image.open(path).convert("RGBA")


@cache
def _parsed(path: Path) -> dict[str, Any]:
    # Tens of megabytes, looked into for each drawing.
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _rasterised(package: Path, icon: str) -> Image.Image:
    icons = _parsed(package / "icons.json")
    entry = icons["icons"][icon]
    width = entry.get("width", icons["width"])
    height = entry.get("height", icons["height"])
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}" width="{_RASTER}" height="{_RASTER}">{entry["body"]}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def _squared(image: Image.Image) -> Image.Image:
    """Cropped to the drawing and centred on the smallest transparent square that holds it."""
    box = image.getchannel("A").point(lambda alpha: 255 * (alpha > 8)).getbbox()
    drawn = image.crop(box)
    side = max(drawn.size)
    square = Image.new("RGBA", (side, side))
    square.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
    return square
