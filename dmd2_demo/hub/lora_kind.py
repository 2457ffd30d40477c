"""Which LoRAs can give a style here, told from names and a file's header: before anything large is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.safetensors_header import BrokenFile, Header
from dmd2_demo.models.config_file import read_config
from dmd2_demo.models.files import configs
from dmd2_demo.models.parts import Lora
from dmd2_demo.models.sources import File, HubRepo

_LARGEST = 2_000_000_000
"""Bytes of a file; SDXL's at rank 128 with convolutions have a billion in half precision."""


class LoraKind(StrEnum):
    """What a file is, as a sentence says it."""

    PLAIN = "a LoRA"
    NOTHING = "no LoRA"
    DORA = "a DoRA, which is no plain sum of weights"
    LOHA = "a LoHa"
    LOKR = "a LoKr"
    OTHER = "a LyCORIS of another kind than LoRA and LoCon"
    FLUX = "a LoRA for Flux or another transformer"
    SD1 = "a LoRA for Stable Diffusion 1"
    SD2 = "a LoRA for Stable Diffusion 2"
    DISTILLATION = "a LoRA that makes few steps enough, as DMD2's own does, and two of those spoil each other"


# The first that is found decides.
_SIGNS = (
    (("dora_scale", "lora_magnitude_vector"), LoraKind.DORA),
    ((".hada_",), LoraKind.LOHA),
    ((".lokr_",), LoraKind.LOKR),
    ((".lora_mid.", ".oft_", ".glora_", ".boft_"), LoraKind.OTHER),
    (
        ("double_blocks", "single_blocks", "single_transformer_blocks", "joint_blocks", "lora_transformer_"),
        LoraKind.FLUX,
    ),
)
_PLAIN = (".lora_down.", ".lora_up.", ".lora_A.", ".lora_B.", "_lora.down.", "_lora.up.", ".lora.down.", ".lora.up.",
          ".lora_linear_layer.")  # fmt: skip
_DOWN = (".lora_down.", ".lora_A.", "lora.down.")
_OF_WIDTH = {768: LoraKind.SD1, 1024: LoraKind.SD2}
_DISTILLED = re.compile(
    r"(?<![a-z])(lcm|dmd2?|tcd|pcm|hyper[-_. ]?sd\w*|hyper(?=[-_. ]*(sdxl|lora))|flash(?=[-_. ]*sd)"
    r"|(lightning|turbo)(?=[-_. ]*(sd|xl|lora))|(?<!\d)\d{1,2}[-_. ]?steps?(?!\d))(?![a-z])"
    r"|(sd|xl)[-_. ]?(lightning|turbo)(?![a-z])",
    re.IGNORECASE,
)
_TITLES = ("ss_output_name", "modelspec.title")


def is_distillation(name: str) -> bool:
    """Whether a LoRA of that name makes few steps enough: DMD2's, LCM's, Lightning's, Hyper-SD's and their like."""
    return _DISTILLED.search(name) is not None


def refusal_of_name(file: File) -> str:
    """Why a file of that name can give no style; "" where its name does not tell."""
    if not file.name.endswith(".safetensors"):
        return f"{file} can't give a style here: only .safetensors files are read."
    name = f"{file.source.stem}/{file.name}" if isinstance(file.source, HubRepo) else file.name
    return f"{file} can't give a style here: it is {LoraKind.DISTILLATION}." if is_distillation(name) else ""


def of_header(header: Header, width: int) -> LoraKind:
    """What a file with that header is, where the base's UNet hears text of that width."""
    names = header.tensors.keys()
    for signs, kind in _SIGNS:
        if _any(names, signs):
            return kind
    if not _any(names, _PLAIN):
        return LoraKind.NOTHING
    if any(name.startswith("transformer.") for name in names):
        return LoraKind.FLUX
    widths = {tensor.shape[-1] for name, tensor in header.tensors.items() if _hears_text(name) and tensor.shape}
    for heard, kind in _OF_WIDTH.items():
        if heard in widths and heard != width:
            return kind
    told = (str(header.metadata.get(title, "")) for title in _TITLES)
    return LoraKind.DISTILLATION if any(map(is_distillation, told)) else LoraKind.PLAIN


def require_style(lora: Lora, hub: Hub) -> Header:
    """The header of a LoRA that can give a style; of its file nothing else is read.

    DemoError, in one sentence, where it can't: by its name, what its header says, or because what it holds has the
    form of DMD2's own.
    """
    refused = refusal_of_name(lora.file)
    if refused:
        raise DemoError(refused)
    refusal = f"{lora.file} can't give a style here: "
    try:
        header = hub.header(lora.file)
    except BrokenFile as error:
        raise DemoError(f"{lora.file} is damaged: {error}.") from error
    config = read_config(hub.fetch(File(configs(lora.base), "unet/config.json")))
    _refuse(refusal, of_header(header, config.get("cross_attention_dim", 0)))
    # The hub tells how long the file is, whatever its header says.
    to_come = sum(size or 0 for _, size in hub.missing(((lora.file,),)))
    if max(header.data, to_come) > _LARGEST:
        raise DemoError(f"{refusal}it has more than {_LARGEST / 1e9:g} GB.")
    if _same_form(hub, lora.distillation, header):
        _refuse(refusal, LoraKind.DISTILLATION)
    return header


def _same_form(hub: Hub, own: File | None, header: Header) -> bool:
    """Whether DMD2's own file has those tensors. It need not be on this disk; False where nobody tells."""
    with suppress(DemoError, BrokenFile):
        return own is not None and hub.header(own).tensors == header.tensors
    return False


def _refuse(refusal: str, kind: LoraKind) -> None:
    if kind is not LoraKind.PLAIN:
        raise DemoError(f"{refusal}it is {kind}.")


def _hears_text(name: str) -> bool:
    """The half of a layer that takes in the text encoders' states."""
    return "attn2" in name and _any([name], ("to_k", "to_v")) and _any([name], _DOWN)


def _any(names: Iterable[str], signs: Iterable[str]) -> bool:
    return any(sign in name for name in names for sign in signs)
