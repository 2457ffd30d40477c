"""Writes the pictures that the canny tab offers as examples.

python -m training.evaluation.examples
"""

from __future__ import annotations

from PIL import Image

from training.data.art import load_art
from training.data.composites import paste
from training.folders import FAMILY, NODE_MODULES
from training.words import COLOURS

_PICTURES = (("rocket", "twemoji", (256, 256)), ("fox", "noto", (256, 256)), ("car", "noto", (320, 192)))


def main() -> None:
    """One PNG a thing, on white."""
    arts = {(art.thing, art.style): art for art in load_art(NODE_MODULES)}
    folder = FAMILY / "examples"
    folder.mkdir(exist_ok=True)
    for thing, style, size in _PICTURES:
        image = Image.new("RGB", size, COLOURS["white"])
        side = round(0.9 * min(size))
        paste(image, arts[thing, style], side, ((size[0] - side) // 2, (size[1] - side) // 2))
        image.save(folder / f"{thing}.png", optimize=True)


if __name__ == "__main__":
    main()
