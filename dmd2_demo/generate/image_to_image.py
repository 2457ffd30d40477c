"""From a picture to another of its composition: the end of the schedule, begun at the picture with noise on it."""

# Annotations hold objects here, not text: no `from __future__ import annotations`.
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.edges import cropped
from dmd2_demo.generate.fields import Given, Number, Range, by_family
from dmd2_demo.generate.made_of import made_of
from dmd2_demo.generate.requests import Steps
from dmd2_demo.generate.styled import Styled
from dmd2_demo.generate.upload import hash_of
from dmd2_demo.models.family import Family, Schedule
from dmd2_demo.models.parts import PipelineSpec

LARGEST_UPSCALE = 2.0


@dataclass(frozen=True)
class StepsFromPicture(Steps):
    """The step counts of UNets that can start from a picture: one step has no end to start at."""

    def check(self, value: object, family: Family) -> int:
        steps = super().check(value, family)
        if steps == 1:
            raise DemoError("A one-step model can't start from a picture: image to image needs one of more steps.")
        return steps


@dataclass(frozen=True)
class Strength(Number):
    """How much of the picture is made anew, snapped to what the schedule's steps can do: 1 to all but one of them."""

    def check(self, value: object, family: Family) -> float:
        asked = Number(self.label, range=Range(0, 1)).check(value, family)
        steps = family.most_steps
        return min(max(round(asked * steps), 1), max(steps - 1, 1)) / steps


def _strengths(family: Family) -> Range:
    return Range(1 / family.most_steps, 1 - 1 / family.most_steps, 1 / family.most_steps)


def _several_steps(family: Family) -> list[tuple[str, int]]:
    return [(str(count), count) for count in family.step_counts if count > 1]


@dataclass(frozen=True, kw_only=True)
class ImageToImage(Styled):
    """A prompt and a picture to start from, with up to three styles. At strength 0.5 it runs 2 of the 4 steps.

    The size is the picture's own where the family does it well, else that of the bucket nearest to it in aspect;
    `upscale` enlarges the picture first.
    """

    image: Annotated[Image.Image, Given("Picture", blank=lambda: Image.new("RGB", (1, 1)))]
    strength: Annotated[float, Strength("Strength", hint="how much is made anew", range=_strengths)] = 0.5
    upscale: Annotated[float, Number("Upscale", range=Range(1, LARGEST_UPSCALE, 0.25), resizes=True)] = 1.0
    steps: Annotated[int, StepsFromPicture("Steps", options=_several_steps)] = by_family(lambda f: f.most_steps)

    _start: Image.Image = field(init=False, repr=False, compare=False)

    task: ClassVar[str] = "image_to_image"

    def __post_init__(self) -> None:
        super().__post_init__()
        size = self._fitting()
        # Here, and not while it holds the device.
        start = made_of(self.image, size, lambda: cropped(self.image, size).resize(size, Image.Resampling.LANCZOS))
        object.__setattr__(self, "_start", start)

    @property
    def schedule(self) -> Schedule:
        whole = self.family.at(self.steps).schedule.timesteps
        return Schedule(whole[len(whole) - round(self.strength * len(whole)) :])

    @property
    def size(self) -> tuple[int, int]:
        return self._start.size

    @property
    def start(self) -> Image.Image:
        return self._start

    def spec(self) -> PipelineSpec:
        base = self.family.base
        return self._spec(base, self.family.unet(self.steps), self.style_loras(base))

    def parameters(self, picture: int = 0) -> dict[str, Any]:
        """As Request's. `steps` are those of the whole schedule, of which `strength` runs a part: `timesteps`.

        `image_sha256` is that of the input before it was brought to size.
        """
        return super().parameters(picture) | {"steps": self.steps, "image_sha256": hash_of(self.image)}

    def _fitting(self) -> tuple[int, int]:
        """The size to work at."""
        sizes, own = self.family.sizes, self.image.size
        width, height = (round(side * self.upscale / sizes.grid) * sizes.grid for side in own)
        if self.upscale == 1:
            return own if own == (width, height) and sizes.does_well(*own) else sizes.nearest(*own)
        if sizes.does_well(width, height):
            return width, height
        if max(width, height) <= sizes.longest and min(width, height) < sizes.shortest:
            return sizes.nearest(*own)  # larger than what was asked for, at last on one side
        raise DemoError(
            f"Upscaled {self.upscale:g}x, this picture would be {width} x {height}: larger than these models do well."
        )
