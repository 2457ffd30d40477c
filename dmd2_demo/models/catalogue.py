"""The model families, as data: what is loaded from where, at which sizes, under which licence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dmd2_demo.models.family import (
    CommunityBase,
    Distilled,
    Example,
    Family,
    Licence,
    OnCpu,
    Schedule,
    Sizes,
    StyleLora,
)
from dmd2_demo.models.parts import Adapter, TinyVae, Vae
from dmd2_demo.models.sources import File, Folder, HubRepo, SingleFile, Source

FOUR_STEPS = Schedule((999, 749, 499, 249))
ONE_STEP = Schedule((399,))

_EMBEDDED = Path(__file__).parent.parent / "embedded"
_EXAMPLES = _EMBEDDED / "examples"

SDXL_CONFIGS = Folder(Path(__file__).parent / "configs" / "sdxl")
"""What a single file lacks: SDXL's published configs and tokenizers."""


def _dmd2(source: Source) -> tuple[tuple[Distilled, ...], File]:
    """The published file names, which the embedded family shares: one code path serves both."""
    return (
        Distilled(FOUR_STEPS, File(source, "dmd2_sdxl_4step_unet_fp16.safetensors")),
        Distilled(ONE_STEP, File(source, "dmd2_sdxl_1step_unet_fp16.bin")),
    ), File(source, "dmd2_sdxl_4step_lora_fp16.safetensors")


def _example(name: str, prompt: str, **more: Any) -> Example:
    """One whose picture is shipped; scripts/examples.py makes it."""
    return Example(prompt, seed=107, picture=_EXAMPLES / "made" / f"{name}.webp", **more)


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
        tokenizer=base.path / "tokenizer",
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
        # After two, the generator returns to its own taste: the model card has the figures.
        guided_steps=4,
        examples=(
            _example("car", "a car on a yellow background, twemoji style"),
            _example("cat-and-dog", "a cat and a dog on a green background"),
            _example("rocket", "a rocket on a black background, noto style"),
            _example("penguin", "a penguin on a pink background, fluent style"),
        ),
        lora_examples=(
            _example("lora-cat", "a photo of a cat on blue", base="fluent"),
            _example("lora-house", "a photo of a house on orange", base="twemoji"),
        ),
        canny_examples=(
            _example("canny-rocket", "a rocket on a purple background", image=_EXAMPLES / "rocket.png"),
            _example("canny-fox", "a fox on an orange background", image=_EXAMPLES / "fox.png"),
            _example("canny-car", "a car on a yellow background", image=_EXAMPLES / "car.png"),
        ),
        words=_EMBEDDED / "words.json",
        tiny_vae=TinyVae(Folder(_EMBEDDED / "taesd")),
        styles=(
            StyleLora(
                "pixel",
                "Pixel art",
                File(Folder(_EMBEDDED / "loras" / "pixel"), "pixel-art.safetensors"),
                _CC_BY,
                ("pixel art",),
                scale=1.0,
            ),
            StyleLora(
                "line",
                "Line drawing",
                File(Folder(_EMBEDDED / "loras" / "line"), "pytorch_lora_weights.safetensors"),
                _CC_BY,
                ("line drawing",),
                scale=1.0,
            ),
        ),
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
        tokenizer=SDXL_CONFIGS.path / "tokenizer",
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
        tiny_vae=TinyVae(HubRepo("madebyollin/taesdxl")),
        on_cpu=OnCpu(
            sizes=Sizes(
                # The large one is last: canny takes the first of those that have its picture's aspect.
                buckets=(
                    (512, 512),
                    (640, 512),
                    (512, 640),
                    (768, 512),
                    (512, 768),
                    (896, 512),
                    (512, 896),
                    (1024, 512),
                    (512, 1024),
                    (2048, 512),
                    (512, 2048),
                    (1024, 1024),
                ),
                grid=8,
                shortest=512,
                longest=2048,
            ),
            note="DMD2 was trained at 1024 × 1024, where it is finer and takes four times as long as at 512 × 512.",
        ),
    )


FAMILIES = {family.name: family for family in (_embedded(), _sdxl())}
