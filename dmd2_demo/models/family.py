"""What a family of models is: where its parts lie, its sizes, schedules and licences. The catalogue has them all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from dmd2_demo.errors import DemoError
from dmd2_demo.models.parts import Adapter, TinyVae, UNet, Vae
from dmd2_demo.models.sources import File, PipelineSource, Source

_UNNAMED = "pytorch_lora_weights"  # what diffusers' trainers call every LoRA


@dataclass(frozen=True)
class Licence:
    """What a set of weights allows. `note` is a short clause for the page."""

    name: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Schedule:
    """The times at which a distilled UNet denoises, noisiest first. The number of steps is their number."""

    timesteps: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.timesteps)


@dataclass(frozen=True)
class Distilled:
    """A UNet made by DMD2 and the only schedule it is right at."""

    schedule: Schedule
    weights: File


@dataclass(frozen=True)
class CommunityBase:
    """A base that the DMD2 LoRA can speed up. `scale` is the LoRA scale to start from."""

    name: str
    title: str
    source: PipelineSource
    licence: Licence
    scale: float = 0.75


@dataclass(frozen=True)
class StyleLora:
    """A LoRA that gives pictures a style, beside DMD2's. `triggers` are words that call it up in a prompt.

    `scale` is the one to start from.
    """

    name: str
    title: str
    file: File
    licence: Licence
    triggers: tuple[str, ...] = ()
    scale: float = 0.8


@dataclass(frozen=True)
class Sizes:
    """The picture sizes of a family, in pixels.

    `buckets` are (width, height), the default first; every bucket suits the adapter as well. Free choice is
    multiples of `grid` from `shortest` to `longest`.
    """

    buckets: tuple[tuple[int, int], ...]
    grid: int
    shortest: int
    longest: int

    @property
    def default(self) -> tuple[int, int]:
        return self.buckets[0]

    def does_well(self, width: int, height: int) -> bool:
        """Whether a picture that is there already can be worked on at that size: 1.5 times the default's sides."""
        sides = (width, height)
        on_grid = all(side % self.grid == 0 and self.shortest <= side <= self.longest for side in sides)
        return on_grid and width * height <= 2.25 * math.prod(self.default)

    def nearest(self, width: int, height: int) -> tuple[int, int]:
        """The bucket whose aspect is nearest to `width` : `height`, as a ratio of ratios."""
        aspect = width / height

        def distance(bucket: tuple[int, int]) -> float:
            ratio = bucket[0] / bucket[1] / aspect
            return max(ratio, 1 / ratio)

        return min(self.buckets, key=distance)


@dataclass(frozen=True)
class Example:
    """A prompt that shows a tab at its best. `image` is a picture file for canny.

    `picture` is what the tab makes of it with its defaults and `seed`, with all settings inside, where it is shipped.
    """

    prompt: str
    base: str | None = None
    image: Path | None = None
    seed: int = 0
    picture: Path | None = None


@dataclass(frozen=True)
class OnCpu:
    """What is different of a family that is large for a CPU: the sizes it offers there, and a sentence about them.

    It computes in bfloat16 there where that is faster; a family without this computes everywhere alike.
    """

    sizes: Sizes
    note: str


@dataclass(frozen=True)
class Family:
    """Everything that differs between the embedded models and the published ones.

    `tokenizer` is a folder on this disk with its text encoders' tokenizer, to count with before they are there.
    """

    name: str
    title: str
    about: str
    licence: Licence
    base: Source
    tokenizer: Path
    vae: Vae
    distilled: tuple[Distilled, ...]
    lora: File
    lora_schedule: Schedule
    adapter: Adapter
    bases: tuple[CommunityBase, ...]
    sizes: Sizes
    detect_resolution: int
    guided_steps: int
    examples: tuple[Example, ...]
    lora_examples: tuple[Example, ...]
    canny_examples: tuple[Example, ...]
    words: Path | None = None
    tiny_vae: TinyVae | None = None
    styles: tuple[StyleLora, ...] = ()
    on_cpu: OnCpu | None = None

    def for_cpu(self) -> Family:
        """What of it is offered where a CPU computes."""
        return replace(self, sizes=self.on_cpu.sizes) if self.on_cpu else self

    def at(self, steps: int) -> Distilled:
        """The distilled UNet of that many steps; DemoError where there is none."""
        for distilled in self.distilled:
            if len(distilled.schedule) == steps:
                return distilled
        raise DemoError(f"Steps must be {' or '.join(map(str, self.step_counts))}.")

    @property
    def step_counts(self) -> tuple[int, ...]:
        """The steps of each distilled UNet, the fewest first."""
        return tuple(sorted(len(distilled.schedule) for distilled in self.distilled))

    @property
    def most_steps(self) -> int:
        """The steps of its slowest and best distilled UNet."""
        return self.step_counts[-1]

    def community(self, name: object) -> CommunityBase:
        """The base of that name; DemoError where there is none."""
        for base in self.bases:
            if base.name == name:
                return base
        known = ", ".join(base.name for base in self.bases)
        raise DemoError(f"There is no base called {name!r:.80}. Choose one of: {known}.")

    def style(self, name: object) -> StyleLora:
        """The style of that name, or the one whose file has it, as other tools name LoRAs. DemoError where none is."""
        for found in (
            [style for style in self.styles if style.name == name],
            [style for style in self.styles if style.file.stem == name != _UNNAMED],
        ):
            if len(found) == 1:
                return found[0]
        known = ", ".join(style.name for style in self.styles)
        raise DemoError(
            f"There is no style called {name!r:.80}. "
            + (f"Choose one of: {known}." if known else "None is offered here.")
        )

    def unet(self, steps: int) -> UNet:
        """The part that makes pictures in that many steps."""
        return UNet(self.base, self.at(steps).weights)
