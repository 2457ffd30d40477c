"""What a visitor can ask for: a class for each way to make pictures, with its fields."""

# Annotations hold objects here, not text: no `from __future__ import annotations`.
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

from PIL import Image

from dmd2_demo.generate.edges import EdgeMap, canny_map, ready_map
from dmd2_demo.generate.fields import Choice, Flag, Given, Number, Range, Whole, by_family
from dmd2_demo.generate.request import FreelySized
from dmd2_demo.generate.styled import LARGEST_LORA_SCALE, Styled
from dmd2_demo.generate.upload import hash_of
from dmd2_demo.models.family import CommunityBase, Family, Schedule
from dmd2_demo.models.parts import Lora, PipelineSpec, UNet


@dataclass(frozen=True)
class Steps(Choice):
    """The step counts that the family has a UNet for."""

    def check(self, value: object, family: Family) -> int:
        counts = family.step_counts
        steps = Whole(self.label, range=Range(counts[0], counts[-1])).check(value, family)
        return len(family.at(steps).schedule)


def _step_counts(family: Family) -> list[tuple[str, int]]:
    return [(str(count), count) for count in family.step_counts]


def _base_of(family: Family, value: object) -> CommunityBase:
    return value if isinstance(value, CommunityBase) else family.community(value)


@dataclass(frozen=True, kw_only=True)
class TextToImage(Styled, FreelySized):
    """A prompt and DMD2's own UNet at one of its step counts, with up to three styles."""

    steps: Annotated[int, Steps("Steps", hint="fewer are faster, more are finer", options=_step_counts)] = by_family(
        lambda f: f.most_steps
    )

    task: ClassVar[str] = "text_to_image"

    @property
    def schedule(self) -> Schedule:
        return self.family.at(self.steps).schedule

    def spec(self) -> PipelineSpec:
        base = self.family.base
        return self._spec(base, self.family.unet(self.steps), self.style_loras(base))


@dataclass(frozen=True, kw_only=True)
class CommunityLora(Styled, FreelySized):
    """A prompt and a community base made fast by DMD2's LoRA at `lora_scale`, with up to three styles; 0 is none."""

    base: Annotated[
        CommunityBase,
        Choice("Base", options=lambda f: [(base.title, base.name) for base in f.bases], find=_base_of),
    ] = by_family(lambda f: f.bases[0])
    lora_scale: Annotated[
        float,
        Number(
            "LoRA scale", hint="how much of DMD2 is added; 0 is the bare base", range=Range(0, LARGEST_LORA_SCALE, 0.05)
        ),
    ] = by_family(lambda f: f.bases[0].scale)

    task: ClassVar[str] = "lora"

    @property
    def schedule(self) -> Schedule:
        return self.family.lora_schedule

    def lora_scales(self) -> tuple[float, ...]:
        return (self.lora_scale, *super().lora_scales())

    def spec(self) -> PipelineSpec:
        source = self.base.source
        loras = (Lora(self.family.lora, source), *self.style_loras(source))
        return self._spec(source, UNet(source), loras)


@dataclass(frozen=True, kw_only=True)
class CannyGuided(Styled):
    """A prompt and the edges of `image`, or `image` itself where it is an edge map already.

    The picture's aspect is the image's, through the family's buckets. The adapter guides the first
    `guided_steps` steps at `conditioning_scale`. It may have up to three styles.
    """

    image: Annotated[Image.Image, Given("Picture", blank=lambda: Image.new("RGB", (1, 1)))]
    low_threshold: Annotated[int, Whole("Low threshold", hint="lower: fainter edges", range=Range(0, 1000))] = 100
    high_threshold: Annotated[int, Whole("High threshold", hint="lower: more edges", range=Range(0, 1000))] = 200
    is_edge_map: Annotated[bool, Flag("The picture is an edge map already")] = False
    conditioning_scale: Annotated[
        float, Number("Conditioning scale", hint="higher: closer to the edges", range=Range(0, 2, 0.05))
    ] = 0.8
    guided_steps: Annotated[
        int, Whole("Guided steps", hint="how many steps follow the edges", range=lambda f: Range(0, f.most_steps))
    ] = by_family(lambda f: f.guided_steps)

    task: ClassVar[str] = "canny"

    @property
    def schedule(self) -> Schedule:
        return self.family.at(self.family.most_steps).schedule

    @property
    def size(self) -> tuple[int, int]:
        return self.family.sizes.nearest(*self.image.size)

    @property
    def conditioning_factor(self) -> float:
        """What diffusers calls the guided share: the adapter acts while step < int(steps * factor)."""
        return self.guided_steps / len(self.schedule)

    def unused(self) -> frozenset[str]:
        thresholds = ("low_threshold", "high_threshold") if self.is_edge_map else ()
        scale = () if self.guided_steps else ("conditioning_scale",)
        return super().unused() | {*thresholds, *scale}

    def edges(self) -> EdgeMap:
        if self.is_edge_map:
            return ready_map(self.image, self.size)
        return canny_map(self.image, self.size, self.low_threshold, self.high_threshold, self.family.detect_resolution)

    def parameters(self, picture: int = 0) -> dict[str, Any]:
        # The picture itself stays out of the file: its hash tells whether another one is the same.
        return {**super().parameters(picture), "image_sha256": hash_of(self.image)}

    def call_arguments(self, edges: Image.Image | None) -> dict[str, Any]:
        return {
            **super().call_arguments(edges),
            "image": edges,
            "adapter_conditioning_scale": self.conditioning_scale,
            "adapter_conditioning_factor": self.conditioning_factor,
        }

    def spec(self) -> PipelineSpec:
        base = self.family.base
        plain = self._spec(base, self.family.unet(self.family.most_steps), self.style_loras(base))
        return replace(plain, adapter=self.family.adapter)
