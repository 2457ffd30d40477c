from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors.torch import load_file

from training.family import export
from training.family.single_file import single_file, with_vae
from training.networks.text import Text
from training.networks.text_encoders import make_text_encoders
from training.networks.tokenizer import make_tokenizers
from training.networks.unet import make_unet
from training.networks.vae import make_vae


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The same untrained family from a folder and from one file."""
    folder = tmp_path_factory.mktemp("family")
    tokenizers = make_tokenizers()
    unet, vae, text = make_unet(), make_vae(), Text(tokenizers, make_text_encoders(tokenizers[0]))
    export.save_family(folder / "base", unet, text)
    export.save(vae, folder / "base" / "vae")
    export.save_single_file(folder / "one.safetensors", unet, vae, text)
    return (
        StableDiffusionXLPipeline.from_pretrained(folder / "base", variant="fp16"),
        StableDiffusionXLPipeline.from_single_file(
            str(folder / "one.safetensors"), config=str(folder / "base"), local_files_only=True
        ),
    )


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "text_encoder_2"])
def test_one_file_holds_the_folder(pipelines: tuple[Any, Any], part: str) -> None:
    folder, one = (getattr(pipeline, part).state_dict() for pipeline in pipelines)
    assert set(folder) == set(one)
    for name, value in folder.items():
        assert torch.equal(value.float(), one[name].float()), name


def test_another_vae_in_the_same_file() -> None:
    tokenizers = make_tokenizers()
    unet, text, vae = make_unet(), Text(tokenizers, make_text_encoders(tokenizers[0])), make_vae()
    before = single_file(unet, make_vae(), text.one, text.two)
    after = with_vae(before, vae)
    wanted = single_file(unet, vae, text.one, text.two)
    assert set(after) == set(wanted)
    assert all(torch.equal(value, wanted[name]) for name, value in after.items())


def test_a_new_vae_replaces_that_of_every_base(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pipelines: tuple[Any, Any]
) -> None:
    of_folder, _ = pipelines
    monkeypatch.setattr(export, "FAMILY", tmp_path)
    communities, vae = tmp_path / "community", make_vae()
    export.save(of_folder.vae, communities / "folder" / "vae")
    text = Text((of_folder.tokenizer, of_folder.tokenizer_2), (of_folder.text_encoder, of_folder.text_encoder_2))
    export.save_single_file(communities / "file" / "one.safetensors", of_folder.unet, of_folder.vae, text)
    export.save_vae(vae)
    wanted = {name: value.half() for name, value in vae.state_dict().items()}
    for folder in (tmp_path / "base" / "vae", communities / "folder" / "vae"):
        written = load_file(folder / "diffusion_pytorch_model.fp16.safetensors")
        assert all(torch.equal(written[name], value) for name, value in wanted.items())
    one = load_file(communities / "file" / "one.safetensors")
    expected = single_file(of_folder.unet, vae, text.one, text.two)
    assert all(torch.equal(one[name], value) for name, value in expected.items())
