"""Draws the page's icon and the card that is shown where its link is shared: python -m scripts.card

Their pictures are made by the embedded family.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings

ROOT = Path(__file__).parent.parent

TEAL, PAPER, INK = "#0f766e", "#fafaf9", "#1c1917"
PROMPTS = (
    "a fox on a blue background, fluent style",
    "a rocket on a black background, noto style",
    "a cat on a pink background, fluent style",
    "a car on a yellow background, twemoji style",
    "a penguin on a green background, fluent style",
    "a house on an orange background, noto style",
    "a fish on a blue background, noto style",
    "a rose on a grey background, fluent style",
    "an owl on a purple background, fluent style",
    "a tree on a white background, twemoji style",
)


def main() -> None:
    """Writes both files."""
    icon().save(ROOT / "dmd2_demo" / "page" / "icon.png", optimize=True)
    card().save(ROOT / "docs" / "card.png", optimize=True)


def icon() -> Image.Image:
    """Four dots that become one: noise in four steps, 512 x 512."""
    large = Image.new("RGBA", (2048, 2048))
    pen = ImageDraw.Draw(large)
    pen.rounded_rectangle((0, 0, 2047, 2047), 440, TEAL)
    for step, radius in enumerate((70, 120, 190, 300)):
        x = (330, 620, 1010, 1540)[step]
        pen.ellipse((x - radius, 1024 - radius, x + radius, 1024 + radius), PAPER)
    return large.resize((512, 512), Image.Resampling.LANCZOS)


def card() -> Image.Image:
    """Title and ten pictures, 1200 x 630."""
    family = FAMILIES["embedded"]
    studio = build_runtime(family, Settings()).studio
    image = Image.new("RGB", (1200, 630), PAPER)
    pen = ImageDraw.Draw(image)
    image.paste(small := icon().resize((96, 96)), (40, 36), small)
    pen.text((160, 34), "DMD2", INK, ImageFont.load_default(60))
    pen.text((162, 104), "SDXL pictures in one or four steps", INK, ImageFont.load_default(28))
    for number, prompt in enumerate(PROMPTS):
        request = TextToImage(family=family, prompt=prompt, seed=number)
        made = next(studio.generate(request, silent, lambda: False)).image.resize((220, 220), Image.Resampling.LANCZOS)
        image.paste(made, (40 + number % 5 * 225, 166 + number // 5 * 225))
    return image


if __name__ == "__main__":
    main()
