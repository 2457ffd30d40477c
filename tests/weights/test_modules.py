from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from torch import nn

from dmd2_demo.errors import DemoError
from dmd2_demo.models.parts import Part, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, Folder
from dmd2_demo.weights import modules
from dmd2_demo.weights.loader import PartLoader
from tests.tiny import TinyFamily, make_unet


@pytest.mark.parametrize("index", ["{}", "[]", "<html>", '{"weight_map": {"a": "../secret.safetensors"}}'])
def test_index_of_nothing_is_told(loader: PartLoader, family: TinyFamily, tmp_path: Path, index: str) -> None:
    shutil.copytree(family.base / "vae", tmp_path / "vae")
    (tmp_path / "vae" / "diffusion_pytorch_model.fp16.safetensors").unlink()
    (tmp_path / "vae" / "diffusion_pytorch_model.safetensors.index.json").write_text(index)
    with pytest.raises(DemoError, match="is no index of weights"):
        loader.load(Vae(Folder(tmp_path)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("unet/config.json", "<html>"),
        ("unet/config.json", '{"block_out_channels": "many"}'),
        ("text_encoder/config.json", "[]"),
        ("text_encoder/config.json", '{"hidden_size": 3}'),
        ("text_encoder_2/config.json", '{"architectures": ["CLIPTextModelWithProjection"], "hidden_size": 64}'),
        ("tokenizer/tokenizer_config.json", "<html>"),
        ("vae/config.json", '{"down_block_types": ["NoSuchBlock"]}'),
    ],
)
def test_nonsense_in_a_config_is_told(
    loader: PartLoader, family: TinyFamily, tmp_path: Path, name: str, content: str
) -> None:
    shutil.copytree(family.base, tmp_path / "base")
    (tmp_path / "base" / name).write_text(content)
    source = Folder(tmp_path / "base")
    parts: dict[str, Part] = {"unet": UNet(source), "vae": Vae(source)}
    part = parts.get(name.partition("/")[0], TextEncoders(source))
    with pytest.raises(DemoError, match=rf"{name} (describes|can.t be|is damaged|asks for) ?|does not fit") as raised:
        loader.load(part)
    assert "\n" not in str(raised.value)


def test_weights_of_another_shape_are_told(loader: PartLoader, family: TinyFamily, tmp_path: Path) -> None:
    make_unet(block_out_channels=(16, 48)).save_pretrained(tmp_path)
    part = UNet(Folder(family.base), File(Folder(tmp_path), "diffusion_pytorch_model.safetensors"))
    with pytest.raises(DemoError, match=r"does not fit this model: size mismatch for"):
        loader.load(part)


def test_models_are_built_by_several_threads_at_once_and_leave_torch_as_it_was(family: TinyFamily) -> None:
    config = family.base / "unet" / "config.json"

    def build(_: int) -> bool:
        empty = modules.unet_without_weights(config)
        return all(parameter.is_meta for parameter in empty.parameters()) and not nn.Linear(2, 2).weight.is_meta

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(build, range(40)))
    assert not nn.Linear(2, 2).weight.is_meta
