"""The embedded family in full precision on the CPU, as every machine can run it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from dmd2_demo.generate import pipelines
from dmd2_demo.generate.image_to_image import ImageToImage
from dmd2_demo.generate.manager import PipelineManager
from dmd2_demo.generate.pipelines import Pipeline
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage
from dmd2_demo.generate.studio import Studio
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.progress import silent
from dmd2_demo.weights.loader import PartLoader

FAMILY = FAMILIES["embedded"]
PROMPT = FAMILY.examples[0].prompt
_BASIC: dict[str, Any] = {"family": FAMILY, "prompt": PROMPT, "seed": 0}


@dataclass(frozen=True)
class EmbeddedRuntime:
    """A studio and its manager."""

    studio: Studio
    manager: PipelineManager[Pipeline]

    @classmethod
    def open(cls, converted: Path) -> EmbeddedRuntime:
        """Nothing is loaded yet. What is converted on the way is kept in that folder."""
        weights = PartLoader(Hub(), torch.device("cpu"), torch.float32, converted)
        manager = PipelineManager(
            fetch=weights.fetch,
            load=lambda part: weights.load(part).module,
            assemble=pipelines.assemble,
            release=lambda: None,
        )
        return cls(Studio(FAMILY, manager.lease), manager)

    def make(self, request: Request) -> Image.Image:
        """Its first picture."""
        return next(self.studio.generate(request, silent, lambda: False)).image


def text(**changes: Any) -> TextToImage:
    """A request with the family's defaults and seed 0 but for `changes`."""
    return TextToImage(**(_BASIC | changes))


def lora(**changes: Any) -> CommunityLora:
    """On the first base at its own scale but for `changes`."""
    base = changes.get("base", FAMILY.bases[0])
    return CommunityLora(**(_BASIC | {"base": base, "lora_scale": base.scale} | changes))


def canny(image: Image.Image, **changes: Any) -> CannyGuided:
    """With the page's defaults but for `changes`."""
    return CannyGuided(**(_BASIC | {"image": image} | changes))


def image_to_image(image: Image.Image, **changes: Any) -> ImageToImage:
    """With the page's defaults but for `changes`."""
    return ImageToImage(**(_BASIC | {"image": image} | changes))
