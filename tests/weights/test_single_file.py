from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file

from dmd2_demo.errors import DemoError
from dmd2_demo.models.parts import TextEncoders, UNet
from dmd2_demo.models.sources import Folder, SingleFile
from dmd2_demo.weights.loader import PartLoader
from tests.same import assert_same
from tests.sizes import sizeof
from tests.tiny import TinyFamily


def test_single_file(loader: PartLoader, family: TinyFamily) -> None:
    pipe = StableDiffusionXLPipeline.from_single_file(
        str(family.single_file), config=str(family.base), torch_dtype=torch.float32, local_files_only=True
    )
    source = SingleFile(family.single_file, Folder(family.base))
    assert_same(loader.load(UNet(source)).module, pipe.unet)
    loaded = loader.load(TextEncoders(source)).module
    assert_same(loaded.text_encoder, pipe.text_encoder)
    assert_same(loaded.text_encoder_2, pipe.text_encoder_2)


def test_single_file_counts_each_part_alone(loader: PartLoader, family: TinyFamily) -> None:
    source = SingleFile(family.single_file, Folder(family.base))
    for part in (UNet(source), TextEncoders(source)):
        assert loader.fetch(part) == pytest.approx(sizeof(loader.load(part)), rel=0.05), part


@pytest.mark.parametrize(
    ("part", "absent"),
    [
        (UNet, "model.diffusion_model.middle_block.0.in_layers.2.weight"),
        (UNet, "model.diffusion_model.label_emb.0.0.weight"),
        (TextEncoders, "conditioner.embedders.0.transformer.text_model.encoder.layers.1.mlp.fc1.weight"),
        (TextEncoders, "conditioner.embedders.1.model.transformer.resblocks.0.mlp.c_fc.weight"),
        (TextEncoders, "conditioner.embedders.1.model.positional_embedding"),
    ],
)
def test_single_file_without_a_weight_is_told(
    loader: PartLoader, family: TinyFamily, tmp_path: Path, part: type[UNet | TextEncoders], absent: str
) -> None:
    whole = load_file(family.single_file)
    del whole[absent]
    save_file(whole, tmp_path / "cut.safetensors")
    with pytest.raises(DemoError, match=r"^cut\.safetensors (.* [mM]issing|holds no text_encoder_2)"):
        loader.load(part(SingleFile(tmp_path / "cut.safetensors", Folder(family.base))))
