"""A finished picture with everything it takes to make it again."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin


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

        The text chunk `parameters` is what other tools of the field read; `dmd2` holds the same as JSON.
        """
        info = PngImagePlugin.PngInfo()
        info.add_itxt("parameters", self._as_text())
        info.add_itxt("dmd2", json.dumps(self.parameters))
        with tempfile.NamedTemporaryFile(
            dir=folder, prefix=f"{self.parameters['seed']}-", suffix=".png", delete=False
        ) as file:
            # Level 1: the default takes longer than a 1-step picture on a GPU and saves a tenth.
            self.image.save(file, "PNG", pnginfo=info, compress_level=1)
        return Path(file.name)

    def _as_text(self) -> str:
        parameters = self.parameters
        known = {
            "Steps": parameters["steps"],
            "Sampler": "LCM",
            "CFG scale": 0,
            "Seed": parameters["seed"],
            "Size": f"{parameters['width']}x{parameters['height']}",
            "Model": f"DMD2 {parameters['family']} {parameters['task']}",
        }
        return f"{parameters['prompt']}\n" + ", ".join(f"{name}: {value}" for name, value in known.items())
