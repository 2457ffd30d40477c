"""Makes the pictures that the page shows as examples, with the embedded family as it is: python -m scripts.examples

To be run again whenever its weights change.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.generate.upload import open_picture
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.progress import silent
from dmd2_demo.settings import Settings

FAMILY = FAMILIES["embedded"]


@dataclass(frozen=True)
class Wanted:
    """A picture to be shipped."""

    request: Request
    path: Path


def wanted() -> Iterator[Wanted]:
    """All of them: each example with its tab's defaults."""
    for example in FAMILY.examples:
        assert example.picture
        yield Wanted(TextToImage(family=FAMILY, prompt=example.prompt, seed=example.seed), example.picture)
    for example in FAMILY.lora_examples:
        assert example.picture
        base = FAMILY.community(example.base)
        yield Wanted(
            CommunityLora(family=FAMILY, prompt=example.prompt, seed=example.seed, base=base, lora_scale=base.scale),
            example.picture,
        )
    for example in FAMILY.canny_examples:
        assert example.picture
        image = open_picture(example.image)
        yield Wanted(CannyGuided(family=FAMILY, prompt=example.prompt, seed=example.seed, image=image), example.picture)


def main() -> None:
    """Writes each as a WebP without loss, its settings inside."""
    studio = build_runtime(FAMILY, Settings(family="embedded")).studio
    for one in wanted():
        one.path.parent.mkdir(exist_ok=True)
        picture = next(iter(studio.generate(one.request, silent, lambda: False)))
        with tempfile.TemporaryDirectory() as folder:
            saved = picture.save(Path(folder), formats.named("webp-lossless"))
            one.path.write_bytes(saved.read_bytes())
        print(f"{one.path.name}: {one.path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
