"""Every form that LoRAs are published in is read as the same LoRA."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors.torch import save_file

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.safetensors_header import read_header
from dmd2_demo.weights.lora import LoadedLora, LoraLayers
from dmd2_demo.weights.lora_forms import Targets, read_lora, require_fit_of
from dmd2_demo.weights.tensors import read_tensors
from tests.tiny import make_text_encoders, make_unet
from tests.weights.lora_files import (
    ALPHA,
    ATTENTION,
    FORMS,
    RANK,
    UNET,
    WORDS,
    Layers,
    diffusers_new,
    diffusers_old,
    fp8,
    kohya,
    kohya_sgm,
    layers,
    peft,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def targets() -> Targets:
    torch.manual_seed(5)
    return Targets(make_unet(), *make_text_encoders())


def parts_of(targets: Targets, form: Any) -> tuple[Layers, Layers, Layers]:
    torch.manual_seed(6)
    kinds = ATTENTION if form is diffusers_old else UNET
    return (
        layers(targets.unet, kinds),
        layers(targets.text_encoder, WORDS),
        layers(targets.text_encoder_2, WORDS),
    )


def write(path: Path, form: Any, *parts: Layers) -> Path:
    tensors, metadata = form(*parts)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata)
    return path


def read(path: Path, targets: Targets) -> LoadedLora:
    return read_lora(read_tensors(path, CPU), read_header(path).metadata, targets)


@pytest.mark.parametrize("form", FORMS)
def test_form(form: Any, targets: Targets, tmp_path: Path) -> None:
    parts = parts_of(targets, form)
    path = write(tmp_path / "style.safetensors", form, *parts)
    found = read(path, targets)
    tolerance = 0.2 if form is fp8 else 1e-3
    for expected, got in zip(parts, (found.unet, found.text_encoder, found.text_encoder_2), strict=True):
        assert got.keys() == expected.keys()
        for name, (up, down) in expected.items():
            delta = torch.einsum("or,r...->o...", up.double().flatten(1), down.double()) * ALPHA / RANK
            ours = got[name].factor * got[name].delta(delta.shape, CPU)
            assert (ours - delta).abs().max() <= tolerance * delta.abs().max() + 1e-9, name
    foretold = require_fit_of(read_header(path), targets)
    assert names(foretold.unet) == names(found.unet)
    assert names(foretold.text_encoder_2) == names(found.text_encoder_2)


def names(layers: LoraLayers) -> dict[str, torch.Size]:
    return {name: layer.down.shape for name, layer in layers.items()}


def test_the_original_releases_names_are_read_with_two_layers_a_block_as_sdxl_has() -> None:
    torch.manual_seed(7)
    unet = make_unet(layers_per_block=2)
    parts = layers(unet, UNET)
    tensors, metadata = kohya_sgm(parts, {}, {}, blocks=2)
    found = read_lora(tensors, metadata, Targets(unet)).unet
    assert found.keys() == parts.keys()
    for name, (up, down) in parts.items():
        assert torch.equal(found[name].up, up), name
        assert torch.equal(found[name].down, down), name


@pytest.mark.parametrize("form", [form for form in FORMS if form is not fp8])
def test_unet_of_each_form_is_what_diffusers_makes_of_it(form: Any, targets: Targets, tmp_path: Path) -> None:
    unet, _, _ = parts_of(targets, form)
    path = write(tmp_path / "style.safetensors", form, unet, {}, {})
    tensors, alphas, metadata = StableDiffusionXLPipeline.lora_state_dict(
        str(path), unet_config=targets.unet.config, return_lora_metadata=True
    )
    if any(name.endswith(".alpha") for name in tensors):
        pytest.skip("diffusers does not read alphas beside PEFT's names")
    theirs = copy.deepcopy(targets.unet)
    StableDiffusionXLPipeline.load_lora_into_unet(tensors, network_alphas=alphas, unet=theirs, metadata=metadata)
    theirs.fuse_lora()
    theirs.unload_lora()
    found = read(path, targets).unet
    fused = dict(theirs.named_parameters())
    for name, layer in found.items():
        bare = targets.unet.get_submodule(name).weight.detach()
        ours = bare.double() + layer.factor * layer.delta(bare.shape, CPU)
        torch.testing.assert_close(ours.float(), fused[f"{name}.weight"].detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", [kohya, peft, diffusers_new])
def test_text_encoders_of_each_form_are_what_diffusers_makes_of_them(form: Any, targets: Targets) -> None:
    _, one, two = parts_of(targets, form)
    named, metadata = form({}, one, two)
    tensors, alphas = StableDiffusionXLPipeline.lora_state_dict(dict(named), unet_config=targets.unet.config)
    found = read_lora(named, metadata, targets)
    for prefix, ours in (("text_encoder", found.text_encoder), ("text_encoder_2", found.text_encoder_2)):
        bare = getattr(targets, prefix)
        theirs = copy.deepcopy(bare)
        told = {k.removeprefix(f"{prefix}."): a for k, a in (alphas or {}).items() if k.startswith(f"{prefix}.")}
        header = json.loads(metadata.get("lora_adapter_metadata", "{}"))
        StableDiffusionXLPipeline.load_lora_into_text_encoder(
            tensors,
            network_alphas={f"{prefix}.{k}": a for k, a in told.items()} or None,
            text_encoder=theirs,
            prefix=prefix,
            metadata=header or None,
        )
        assert ours
        for name, layer in ours.items():
            theirs_layer: Any = theirs.get_submodule(name)
            theirs_layer.merge()
            weight = bare.get_submodule(name).weight.detach()
            expected = weight.double() + layer.factor * layer.delta(weight.shape, CPU)
            torch.testing.assert_close(theirs_layer.weight.detach(), expected.float(), rtol=1e-4, atol=1e-5)


def test_pattern_and_root_of_the_header_count(targets: Targets) -> None:
    unet = layers(targets.unet, ("to_q",))
    tensors = {
        f"unet.{name}.lora_{half}.weight": tensor
        for name, pair in unet.items()
        for half, tensor in zip("BA", pair, strict=True)
    }
    told = '{"unet.lora_alpha": 8, "unet.use_rslora": true}'
    found = read_lora(tensors, {"lora_adapter_metadata": told}, targets).unet
    assert {layer.factor for layer in found.values()} == {8 / RANK**0.5}
    told = '{"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_q": 2}}'
    found = read_lora(tensors, {"lora_adapter_metadata": told}, targets).unet
    assert {layer.factor for name, layer in found.items() if "attn1" in name} == {2 / RANK}
    assert {layer.factor for name, layer in found.items() if "attn2" in name} == {8 / RANK}


@pytest.mark.parametrize(
    "told", ["{", "[]", '{"unet.lora_alpha": "x"}', '{"unet.alpha_pattern": 3}', '{"unet.lora_alpha": NaN}', "[" * 9999]
)
def test_header_that_is_damaged_is_a_sentence(told: str, targets: Targets) -> None:
    tensors = {
        f"unet.{name}.lora_{half}.weight": tensor
        for name, pair in layers(targets.unet, ("to_q",)).items()
        for half, tensor in zip("BA", pair, strict=True)
    }
    with pytest.raises(DemoError, match="is damaged"):
        read_lora(tensors, {"lora_adapter_metadata": told}, targets)


def test_layers_that_hear_of_sizes_are_read_in_kohyas_names_too(targets: Targets) -> None:
    parts = layers(targets.unet, ("add_embedding.linear_1", "add_embedding.linear_2"))
    assert len(parts) == 2
    tensors, metadata = kohya(parts, {}, {})
    assert names(read_lora(tensors, metadata, targets).unet) == {name: down.shape for name, (_, down) in parts.items()}


def test_layers_in_two_namings_and_words_of_its_own_are_told(targets: Targets) -> None:
    unet = layers(targets.unet, ("to_q",))
    both = kohya(unet, {}, {})[0] | kohya_sgm(unet, {}, {})[0]
    with pytest.raises(DemoError, match="names some layers in one way and some in another"):
        read_lora(both, {}, targets)
    words = kohya(unet, {}, {})[0] | {"bundle_emb.sks.string_to_param.*": torch.zeros(1, 768)}
    with pytest.raises(DemoError, match="brings words of its own, which are not read here: bundle_emb"):
        read_lora(words, {}, targets)


def test_more_than_a_lora_can_have_is_refused_at_once(targets: Targets) -> None:
    # What diffusers does with these takes the square of their number: an hour for as many as a header can hold.
    many = {f"lora_unet_input_blocks_{i}_0_x.alpha": torch.ones(()) for i in range(100_000)}
    began = time.process_time()
    with pytest.raises(DemoError, match="has 100000 tensors, more than SDXL"):
        read_lora(many, {}, targets)
    told = json.dumps({"unet.alpha_pattern": {f"x{i}": 1 for i in range(100_000)}})
    with pytest.raises(DemoError, match="is damaged"):
        read_lora(kohya(layers(targets.unet, ("to_q",)), {}, {})[0], {"lora_adapter_metadata": told}, targets)
    assert time.process_time() - began < 5
