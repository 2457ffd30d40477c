from __future__ import annotations

from pathlib import Path

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.files import shards
from dmd2_demo.models.parts import Adapter, Lora, Part, Pristine, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, Folder, HubRepo, SingleFile

BASE, CONFIGS = HubRepo("owner/base"), Folder(Path("configs"))
SINGLE = SingleFile(Path("models/style.safetensors"), CONFIGS)


def names(part: Part) -> list[str]:
    """`source/name` of each choice's first file."""
    return [str(choice[0]) for choice in part.files()]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (UNet(BASE), ["owner/base/unet/config.json", "owner/base/unet/diffusion_pytorch_model.fp16.safetensors"]),
        (UNet(SINGLE), ["configs/unet/config.json", "models/style.safetensors"]),
        (Vae(BASE, ""), ["owner/base/config.json", "owner/base/diffusion_pytorch_model.fp16.safetensors"]),
        (Adapter(BASE), ["owner/base/config.json", "owner/base/diffusion_pytorch_model.fp16.safetensors"]),
        (Scheduler(), []),
    ],
)
def test_files_of_a_part(part: Part, expected: list[str]) -> None:
    assert names(part) == expected


def test_distilled_unet_takes_its_config_from_the_base_and_nothing_else() -> None:
    family = FAMILIES["sdxl"]
    assert names(family.unet(1)) == [
        "stabilityai/stable-diffusion-xl-base-1.0/unet/config.json",
        "tianweiy/DMD2/dmd2_sdxl_1step_unet_fp16.bin",
    ]


def test_lora_takes_its_file_alone_and_what_it_is_merged_with_the_unets() -> None:
    family = FAMILIES["sdxl"]
    assert Lora(family.lora, BASE).files() == ((family.lora,),)
    assert Pristine(UNet(BASE)).files() == ()


def test_half_precision_is_preferred_where_there_is_a_choice_and_pickles_are_not() -> None:
    names = [file.name for file in Vae(BASE).files()[1]]
    assert names[:6] == [
        "vae/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.safetensors.index.fp16.json",
        "vae/diffusion_pytorch_model.fp16.safetensors.index.json",
        "vae/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors.index.json",
        "vae/diffusion_pytorch_model.bf16.safetensors",
    ]
    assert names.index("vae/diffusion_pytorch_model.fp32.safetensors") < names.index(
        "vae/diffusion_pytorch_model.fp16.bin"
    )
    assert "text_encoder/pytorch_model.bin" in {file.name for file in TextEncoders(BASE).files()[-2]}


def test_text_encoders_of_a_single_file_take_tokenizers_and_configs_from_elsewhere() -> None:
    sources = {file.source for choice in TextEncoders(SINGLE).files() for file in choice}
    assert sources == {CONFIGS, Folder(Path("models"))}
    assert "owner/base/text_encoder_2/model.fp16.safetensors" in names(TextEncoders(BASE))


def test_no_pickle_is_read_of_what_a_visitor_named(tmp_path: Path) -> None:
    named = HubRepo("owner/base", anonymous=True)
    choices = (*UNet(named).files(), *TextEncoders(named).files())
    assert any(file.name.endswith(".bin") for choice in UNet(BASE).files() for file in choice)
    assert not [file.name for choice in choices for file in choice if ".bin" in file.name]
    index = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "a.bin"}}')
    assert shards((File(BASE, index.name),), index)
    with pytest.raises(DemoError, match="is no index of weights"):
        shards((File(named, index.name),), index)
