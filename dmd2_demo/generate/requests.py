"""What a visitor asked for. A request that exists is one that can be made: building it checks every value."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from PIL import Image

from dmd2_demo.generate import fields
from dmd2_demo.models.family import CommunityBase, Family, Schedule
from dmd2_demo.models.parts import LoraUNet, PipelineSpec, Scheduler, TextEncoders, UNet
from dmd2_demo.models.sources import PipelineSource

LARGEST_SEED = 2**32 - 1
MOST_IMAGES = 8
LARGEST_LORA_SCALE = 1.5


@dataclass(frozen=True, kw_only=True)
class Request(ABC):
    """A prompt, a seed and a number of pictures. Picture i is made from `seed + i`, so each can be made again.

    Values out of range raise DemoError.
    """

    family: Family
    prompt: str
    seed: int = 0
    images: int = 1

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        self._check(
            prompt=fields.prompt(self.prompt),
            seed=fields.whole("Seed", self.seed, 0, LARGEST_SEED),
            images=fields.whole("Pictures", self.images, 1, MOST_IMAGES),
        )

    @property
    @abstractmethod
    def schedule(self) -> Schedule:
        """The times to denoise at."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""

    @abstractmethod
    def spec(self) -> PipelineSpec:
        """The parts it needs."""

    @abstractmethod
    def own_settings(self) -> dict[str, Any]:
        """What only this kind of request knows, for `settings`."""

    def seed_of(self, picture: int) -> int:
        """The seed of picture number `picture`, counted from 0; after the largest seed comes 0."""
        return (self.seed + picture) % (LARGEST_SEED + 1)

    def settings(self, picture: int = 0) -> dict[str, Any]:
        """All it takes to make that picture again, in JSON's types."""
        width, height = self.size
        return {
            "kind": self.kind,
            "family": self.family.name,
            "prompt": self.prompt,
            "seed": self.seed_of(picture),
            "width": width,
            "height": height,
            "steps": len(self.schedule),
            "timesteps": list(self.schedule.timesteps),
            **self.own_settings(),
        }

    def _check(self, **checked: object) -> None:
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def _spec(self, source: PipelineSource, unet: UNet | LoraUNet) -> PipelineSpec:
        return PipelineSpec(TextEncoders(source), unet, self.family.vae, Scheduler(source))


@dataclass(frozen=True, kw_only=True)
class FreelySized(Request):
    """A request whose picture may have any size on the family's grid, in pixels."""

    width: int
    height: int

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = self.family.sizes
        self._check(
            width=fields.whole("Width", self.width, sizes.shortest, sizes.longest, sizes.grid),
            height=fields.whole("Height", self.height, sizes.shortest, sizes.longest, sizes.grid),
        )

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


@dataclass(frozen=True, kw_only=True)
class TextToImage(FreelySized):
    """A prompt and DMD2's own UNet at one of its step counts."""

    steps: int = 4

    kind: ClassVar[str] = "text to image"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check(steps=len(self.family.at(fields.whole("Steps", self.steps, 1, 4)).schedule))

    @property
    def schedule(self) -> Schedule:
        return self.family.at(self.steps).schedule

    def spec(self) -> PipelineSpec:
        return self._spec(self.family.base, self.family.unet(self.steps))

    def own_settings(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, kw_only=True)
class CommunityLora(FreelySized):
    """A prompt and a community base made fast by DMD2's LoRA at `lora_scale`; 0 is the bare base."""

    base: CommunityBase
    lora_scale: float

    kind: ClassVar[str] = "lora"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check(lora_scale=fields.number("LoRA scale", self.lora_scale, 0, LARGEST_LORA_SCALE))

    @property
    def schedule(self) -> Schedule:
        return self.family.lora_schedule

    def spec(self) -> PipelineSpec:
        return self._spec(self.base.source, LoraUNet(UNet(self.base.source), self.family.lora))

    def own_settings(self) -> dict[str, Any]:
        return {"base": self.base.name, "lora_scale": self.lora_scale}


@dataclass(frozen=True, kw_only=True)
class CannyGuided(Request):
    """A prompt and the edges of `image`, or `image` itself where it is an edge map already.

    The picture's aspect is the image's, through the family's buckets. The adapter guides the first
    `guided_steps` steps at `conditioning_scale`.
    """

    image: Image.Image
    low_threshold: int = 100
    high_threshold: int = 200
    is_edge_map: bool = False
    conditioning_scale: float = 0.8
    guided_steps: int = 2

    kind: ClassVar[str] = "canny"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check(
            low_threshold=fields.whole("Low threshold", self.low_threshold, 0, 1000),
            high_threshold=fields.whole("High threshold", self.high_threshold, 0, 1000),
            conditioning_scale=fields.number("Conditioning scale", self.conditioning_scale, 0, 2),
            guided_steps=fields.whole("Guided steps", self.guided_steps, 0, len(self.schedule)),
        )

    @property
    def schedule(self) -> Schedule:
        return self.family.at(4).schedule

    @property
    def size(self) -> tuple[int, int]:
        return self.family.sizes.nearest(*self.image.size)

    @property
    def conditioning_factor(self) -> float:
        """What diffusers calls the guided share: the adapter acts while step < int(steps * factor)."""
        return self.guided_steps / len(self.schedule)

    def spec(self) -> PipelineSpec:
        plain = self._spec(self.family.base, self.family.unet(4))
        return PipelineSpec(plain.text_encoders, plain.unet, plain.vae, plain.scheduler, self.family.adapter)

    def own_settings(self) -> dict[str, Any]:
        return {
            "low_threshold": self.low_threshold,
            "high_threshold": self.high_threshold,
            "is_edge_map": self.is_edge_map,
            "conditioning_scale": self.conditioning_scale,
            "guided_steps": self.guided_steps,
        }
