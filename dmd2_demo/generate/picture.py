"""A finished picture with everything it takes to make it again."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from dmd2_demo.generate.infotext import infotext


@dataclass(frozen=True)
class Decoded:
    """RGB pixels as a pipeline gives them, and sentences about what was mended on the way."""

    image: Image.Image
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """RGB pixels, the parameters they were made with, and sentences the visitor should read.

    `edges` is the map that guided it; `seconds` is the time from the pipeline's start to pixels.
    """

    image: Image.Image
    parameters: dict[str, Any]
    seconds: float
    notices: tuple[str, ...] = field(default=())
    edges: Image.Image | None = None

    def save(self, folder: Path) -> Path:
        """Writes a PNG with the parameters inside, named by its seed, and gives its path.

        The text chunk `parameters` is what other tools of the field read; `dmd2` holds the same as JSON. Each is a
        tEXt chunk where Latin-1 has all its letters, since some tools read no other, and else an iTXt chunk.
        """
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", infotext(self.parameters))
        info.add_text("dmd2", json.dumps(self.parameters))
        with tempfile.NamedTemporaryFile(
            dir=folder, prefix=f"{self.parameters['seed']}-", suffix=".png", delete=False
        ) as file:
            # Level 1: the default takes longer than a 1-step picture on a GPU and saves a tenth.
            self.image.save(file, "PNG", pnginfo=info, compress_level=1)
        return Path(file.name)
