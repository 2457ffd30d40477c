"""The model families, as data: what is loaded from where, at which sizes, under which licence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dmd2_demo.errors import DemoError
from dmd2_demo.parts import Adapter, UNet, Vae
from dmd2_demo.sources import File, Folder, HubRepo, PipelineSource, SingleFile, Source


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

    def nearest(self, width: int, height: int) -> tuple[int, int]:
        """The bucket whose aspect is nearest to `width` : `height`, as a ratio of ratios."""
        aspect = width / height

        def distance(bucket: tuple[int, int]) -> float:
            ratio = bucket[0] / bucket[1] / aspect
            return max(ratio, 1 / ratio)

        return min(self.buckets, key=distance)


@dataclass(frozen=True)
class Example:
    """A prompt that shows a tab at its best. `image` is a picture file for canny."""

    prompt: str
    base: str | None = None
    image: Path | None = None


@dataclass(frozen=True)
class Family:
    """Everything that differs between the embedded models and the published ones."""

    name: str
    title: str
    about: str
    licence: Licence
    base: Source
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

    def at(self, steps: int) -> Distilled:
        """The distilled UNet of that many steps; DemoError where there is none."""
        for distilled in self.distilled:
            if len(distilled.schedule) == steps:
                return distilled
        known = " or ".join(str(len(distilled.schedule)) for distilled in self.distilled)
        raise DemoError(f"Steps must be {known}.")

    def community(self, name: str) -> CommunityBase:
        """The base of that name; DemoError where there is none."""
        for base in self.bases:
            if base.name == name:
                return base
        known = ", ".join(base.name for base in self.bases)
        raise DemoError(f"There is no base called {name!r:.80}. Choose one of: {known}.")

    def unet(self, steps: int) -> UNet:
        """The part that makes pictures in that many steps."""
        return UNet(self.base, self.at(steps).weights)


FOUR_STEPS = Schedule((999, 749, 499, 249))
ONE_STEP = Schedule((399,))

_EMBEDDED = Path(__file__).parent / "embedded"


def _dmd2(source: Source) -> tuple[tuple[Distilled, ...], File]:
    """The published file names, which the embedded family shares: one code path serves both."""
    return (
        Distilled(FOUR_STEPS, File(source, "dmd2_sdxl_4step_unet_fp16.safetensors")),
        Distilled(ONE_STEP, File(source, "dmd2_sdxl_1step_unet_fp16.bin")),
    ), File(source, "dmd2_sdxl_4step_lora_fp16.safetensors")


_APACHE = Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0")
_CC_BY = Licence("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "credit the artists")
_DMD2 = Licence("CC BY-NC-SA 4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/", "non-commercial use only")
_OPENRAIL = Licence(
    "CreativeML Open RAIL++-M", "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md"
)
_OPENRAIL_M = Licence("CreativeML Open RAIL-M", "https://huggingface.co/spaces/CompVis/stable-diffusion-license")
_FAIR_AI = Licence("Fair AI Public License 1.0-SD", "https://freedevproject.org/faipl-1.0-sd/")


def _embedded() -> Family:
    base = Folder(_EMBEDDED / "base")
    distilled, lora = _dmd2(Folder(_EMBEDDED / "dmd2"))
    return Family(
        name="embedded",
        title="Embedded family",
        about="small models of SDXL's architecture, trained on emoji art and shipped with this demo",
        licence=_CC_BY,
        base=base,
        vae=Vae(base),
        distilled=distilled,
        lora=lora,
        lora_schedule=FOUR_STEPS,
        adapter=Adapter(Folder(_EMBEDDED / "t2i-adapter-canny")),
        bases=(
            CommunityBase("base", "Base (all styles)", base, _CC_BY, scale=1.0),
            CommunityBase("fluent", "Fluent (3D)", Folder(_EMBEDDED / "community" / "fluent"), _CC_BY),
            CommunityBase(
                "twemoji",
                "Twemoji (flat)",
                SingleFile(_EMBEDDED / "community" / "twemoji" / "twemoji.safetensors", base),
                _CC_BY,
            ),
        ),
        sizes=Sizes(
            buckets=((128, 128), (144, 112), (112, 144), (160, 96), (96, 160), (256, 64), (64, 256)),
            grid=8,
            shortest=64,
            longest=256,
        ),
        detect_resolution=128,
        # Its adapter steers gently: the model card has the figures.
        guided_steps=4,
        examples=(
            Example("a penguin on a pink background, fluent style"),
            Example("a rocket on a black background, noto style"),
            Example("a car on a yellow background, twemoji style"),
            Example("a lion on a green background"),
        ),
        lora_examples=(
            Example("a photo of a cat on blue", base="fluent"),
            Example("a photo of a house on orange", base="twemoji"),
        ),
        canny_examples=(
            Example("a rocket on a purple background", image=_EMBEDDED / "examples" / "rocket.png"),
            Example("a fox on an orange background", image=_EMBEDDED / "examples" / "fox.png"),
            Example("a car on a yellow background", image=_EMBEDDED / "examples" / "car.png"),
        ),
        words=_EMBEDDED / "words.json",
    )


def _sdxl() -> Family:
    base = HubRepo("stabilityai/stable-diffusion-xl-base-1.0")
    distilled, lora = _dmd2(HubRepo("tianweiy/DMD2"))
    return Family(
        name="sdxl",
        title="SDXL with DMD2",
        about="Stable Diffusion XL 1.0 with DMD2's published weights",
        licence=_DMD2,
        base=base,
        vae=Vae(HubRepo("madebyollin/sdxl-vae-fp16-fix"), folder=""),
        distilled=distilled,
        lora=lora,
        lora_schedule=FOUR_STEPS,
        adapter=Adapter(HubRepo("TencentARC/t2i-adapter-canny-sdxl-1.0")),
        bases=(
            CommunityBase("sdxl", "Stable Diffusion XL 1.0", base, _OPENRAIL, scale=1.0),
            CommunityBase("realvis", "RealVisXL 5.0", HubRepo("SG161222/RealVisXL_V5.0"), _OPENRAIL),
            CommunityBase("juggernaut", "Juggernaut XL 9", HubRepo("RunDiffusion/Juggernaut-XL-v9"), _OPENRAIL_M),
            CommunityBase("dreamshaper", "DreamShaper XL 1.0", HubRepo("Lykon/dreamshaper-xl-1-0"), _OPENRAIL),
            CommunityBase("animagine", "Animagine XL 3.1", HubRepo("cagliostrolab/animagine-xl-3.1"), _FAIR_AI),
            CommunityBase("animagine-4", "Animagine XL 4.0", HubRepo("cagliostrolab/animagine-xl-4.0"), _OPENRAIL),
        ),
        sizes=Sizes(
            buckets=(
                (1024, 1024),
                (1152, 896),
                (896, 1152),
                (1216, 832),
                (832, 1216),
                (1344, 768),
                (768, 1344),
                (1536, 640),
                (640, 1536),
                (2048, 512),
                (512, 2048),
            ),
            grid=8,
            shortest=512,
            longest=2048,
        ),
        detect_resolution=384,
        guided_steps=2,
        examples=(
            Example("a photo of a cat"),
            Example("a lighthouse on a cliff at dusk, oil painting"),
            Example("macro photo of a dew drop on a fern, soft morning light"),
        ),
        lora_examples=(
            Example("portrait of an old fisherman, golden hour, 85mm photo", base="realvis"),
            Example("a girl with a red umbrella in the rain, anime key visual", base="animagine"),
        ),
        canny_examples=(),
    )


FAMILIES = {family.name: family for family in (_embedded(), _sdxl())}
