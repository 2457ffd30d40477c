"""The plain diffusers program that makes a request's picture: nothing of this demo is in it but its files."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.prompt import weights
from dmd2_demo.generate.prompt.counting import TokenCounter
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided
from dmd2_demo.models.parts import LARGEST_UNTILED, TinyVae, UNet
from dmd2_demo.models.sources import File, Folder, HubRepo, PipelineSource, SingleFile, Source

INPUT = "picture.png"
"""What the program calls the picture that is made into another."""

_ROOT = Path(__file__).parents[2]


def program(request: Request, files: Sequence[str] = ()) -> str:
    """The program's text; its picture is `request`'s first: the same pixels in float32 on a CPU.

    `files`, which the picture's settings name, decide between a repository's variants.
    With LoRAs, which diffusers rounds otherwise, it is within one level of 255. On a GPU it computes in float16.
    Files that lie in this demo's repository are named from there, and an operator's own by their names alone.
    DemoError where plain diffusers can't read the prompt as this demo does.
    """
    spec = request.spec()
    unet = spec.unet
    pipeline = "StableDiffusionXLPipeline"
    if request.start is not None:
        pipeline = "StableDiffusionXLImg2ImgPipeline"
    elif spec.adapter is not None:
        pipeline = "StableDiffusionXLAdapterPipeline"
    given = ["vae"]
    body = [_vae(request)]
    if math.prod(request.size) > LARGEST_UNTILED:
        body.append("vae.enable_tiling()")
    if unet.weights is not None:
        body.append(_unet(unet, unet.weights))
        given.append("unet")
    if spec.adapter is not None:
        body.append(f"adapter = T2IAdapter.from_pretrained({_place(spec.adapter.source)}, {_VARIANT}, dtype=dtype)")
        given.append("adapter")
    body.append(_pipeline(pipeline, unet.source, given, _variant(request, files)))
    for lora, scale in zip(spec.loras, request.lora_scales(), strict=True):
        body.append(
            f"pipe.load_lora_weights({_file(lora.file)})  # needs peft\npipe.fuse_lora(lora_scale={scale!r})\n"
            "pipe.unload_lora_weights()  # what is fused stays"
        )
    body.append("pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)")
    if isinstance(request, CannyGuided):
        body.append(_edges(request))
    elif request.start is not None:
        width, height = request.size
        body.append(f"{_cropped(request)}\nimage = image.resize(({width}, {height}), Image.Resampling.LANCZOS)")
    body.append(_call(request))
    return "\n".join([*_imports("\n".join(body)), "", *_DEVICE, "", *body, ""])


_VARIANT = 'variant="fp16"'


def _variant(request: Request, files: Sequence[str]) -> str:
    """The argument that names the variant of the pipeline's files that are read; "" for none."""
    source = request.spec().unet.source
    folders = (f"{source}/unet/", f"{source}/text_encoder")
    used = [name for name in files if name.startswith(folders)]
    if used:
        # Of parts that lack it diffusers reads the files without one.
        named = (re.search(r"\.(fp16|bf16|fp32)[.-]", name.rpartition("/")[2]) for name in used)
        return next((f'variant="{found[1]}"' for found in named if found), "")
    return _VARIANT if source == request.family.base or isinstance(source, Folder) else ""


_DEVICE = (
    'device = "cuda" if torch.cuda.is_available() else "cpu"',
    'dtype = torch.float16 if device == "cuda" else torch.float32',
)


def _place(source: Source) -> str:
    """The source as diffusers takes it, in quotes, with its revision."""
    return f"{source.id!r}{_revision(source)}" if isinstance(source, HubRepo) else repr(_path(source.path))


def _revision(repo: HubRepo) -> str:
    return "" if repo.revision == "main" else f", revision={repo.revision!r}"


def _path(path: Path) -> str:
    """Nothing else of this disk is told to visitors."""
    inside = path.is_relative_to(_ROOT)
    return path.relative_to(_ROOT).as_posix() if inside else f"path/to/{path.name}"


def _file(file: File) -> str:
    """An expression for the file's path."""
    if isinstance(file.source, HubRepo):
        return f"hf_hub_download({file.source.id!r}, {file.name!r}{_revision(file.source)})"
    return repr(_path(file.source.path / file.name))


def _vae(request: Request) -> str:
    vae = request.spec().vae
    kind = "AutoencoderTiny" if isinstance(vae, TinyVae) else "AutoencoderKL"
    folder = "" if isinstance(vae, TinyVae) else vae.folder
    options = [_place(vae.source), *([f'subfolder="{folder}"'] if folder else ())]
    # Published ones of their own have no variants.
    options += [_VARIANT] if isinstance(vae.source, Folder) or folder else []
    return f"vae = {kind}.from_pretrained({', '.join(options)}, dtype=dtype)"


def _unet(unet: UNet, weights: File) -> str:
    assert not isinstance(unet.source, SingleFile)
    read = (
        f"load_file({_file(weights)})"
        if weights.name.endswith(".safetensors")
        else f'torch.load({_file(weights)}, map_location="cpu", weights_only=True)'
    )
    config = f'UNet2DConditionModel.load_config({_place(unet.source)}, subfolder="unet")'
    return f"unet = UNet2DConditionModel.from_config({config}).eval()\nunet.load_state_dict({read})\nunet.to(dtype)"


def _pipeline(kind: str, source: PipelineSource, given: list[str], variant: str) -> str:
    parts = ", ".join(f"{name}={name}" for name in given)
    if isinstance(source, SingleFile):
        made = f"{kind}.from_single_file(\n    {_path(source.path)!r}, config={_place(source.config)}, {parts}"
    else:
        options = ", ".join(filter(None, (_place(source), variant, parts)))
        made = f"{kind}.from_pretrained(\n    {options}"
    return f"pipe = {made}, dtype=dtype, add_watermarker=False\n).to(device)"


_OPENED = f"""\
image = ImageOps.exif_transpose(Image.open("{INPUT}"))  # the one that it was made from
if image.has_transparency_data:
    layers = image.convert("RGBA")
    seen = layers.getchannel("A").point(lambda alpha: 255 * (alpha > 32))
    shades = ImageStat.Stat(layers.convert("L"), seen)
    ground = "black" if shades.count[0] and shades.mean[0] > 200 else "white"
    image = Image.alpha_composite(Image.new("RGBA", layers.size, ground), layers)
image = image.convert("RGB")
"""

_TURNED = """
grey = np.asarray(edges.convert("L")).astype(float)
if grey.mean() > 127.5:  # dark lines on paper, where an adapter takes white ones on black
    light = (1 - grey / max(np.median(grey), 1)).clip(0, 1)
    edges = Image.fromarray((light * 255).round().astype(np.uint8)).convert("RGB")"""


def _cropped(request: Request) -> str:
    width, height = request.size
    return (
        f"{_OPENED}"
        f"ratio = min(image.width / {width}, image.height / {height})\n"
        f"image = ImageOps.fit(image, (max(1, round({width} * ratio)), max(1, round({height} * ratio))))"
    )


def _edges(request: CannyGuided) -> str:
    width, height = request.size
    lines = [_cropped(request)]
    if not request.is_edge_map:
        low, high = sorted((request.low_threshold, request.high_threshold))
        lines += [
            "edges = CannyDetector()(",
            f"    np.asarray(image), low_threshold={low}, high_threshold={high},",
            f"    detect_resolution={request.family.detect_resolution}, image_resolution={min(width, height)},",
            ")",
            "image = Image.fromarray(edges)",
        ]
    resized = f"edges = image.resize(({width}, {height}), Image.Resampling.BILINEAR)"
    return "\n".join([*lines, resized + (_TURNED if request.is_edge_map else "")])


def _call(request: Request) -> str:
    width, height = request.size
    guided = {name: value for name, value in request.call_arguments(None).items() if name != "image"}
    size = {"width": width, "height": height} if request.start is None else {"strength": 1.0}
    arguments = {
        "prompt": _prompt(request),
        **size,
        "num_inference_steps": len(request.schedule),
        "timesteps": list(request.schedule.timesteps),
        "guidance_scale": 0,
    } | guided
    lines = [f"    {name}={value!r}," for name, value in arguments.items()]
    lines += ["    image=edges,"] if guided else ["    image=image,"] if request.start is not None else []
    seeded = f'    generator=torch.Generator("cpu").manual_seed({request.seed}),'
    return "\n".join(["picture = pipe(", *lines, seeded, ").images[0]", f'picture.save("{request.seed}.png")'])


def _prompt(request: Request) -> str:
    if request.plain_prompt:
        return request.prompt
    prompt = request.prompts[0]
    if not weights.is_plain(weights.read(prompt)):
        raise DemoError("Plain diffusers reads no weights and no BREAK, so no such program makes this picture.")
    if not TokenCounter(request.family.tokenizer).fits(prompt):
        raise DemoError("Plain diffusers reads one chunk of tokens, so no such program makes this picture.")
    return request.words


_DIFFUSERS = (
    "AutoencoderKL",
    "AutoencoderTiny",
    "LCMScheduler",
    "StableDiffusionXLAdapterPipeline",
    "StableDiffusionXLImg2ImgPipeline",
    "StableDiffusionXLPipeline",
    "T2IAdapter",
    "UNet2DConditionModel",
)

_OTHERS = {
    "np.": "import numpy as np",
    "torch": "import torch",
    "CannyDetector": "from controlnet_aux.canny import CannyDetector",
    "hf_hub_download": "from huggingface_hub import hf_hub_download",
    "Image.": "from PIL import Image, ImageOps, ImageStat",
    "load_file": "from safetensors.torch import load_file",
}


def _imports(body: str) -> list[str]:
    """What the body uses."""
    diffusers = f"from diffusers import {', '.join(name for name in _DIFFUSERS if f'{name}.' in body)}"
    others = [line for mark, line in _OTHERS.items() if mark in body]
    return sorted([diffusers, *others], key=lambda line: (line.startswith("from"), line.split()[1]))
