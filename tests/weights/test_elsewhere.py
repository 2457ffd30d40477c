"""Bases as they are found elsewhere: other forms of weights, configs with odd or missing lines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dmd2_demo.errors import DemoError
from dmd2_demo.models.parts import Scheduler, TextEncoders, UNet
from dmd2_demo.models.sources import Folder
from dmd2_demo.weights.loader import PartLoader, scheduler
from tests.same import assert_same
from tests.tiny import TinyFamily

UNET = "unet/diffusion_pytorch_model"
Change = Callable[[Path], None]


@pytest.fixture
def base(family: TinyFamily, tmp_path: Path) -> Path:
    """A copy to be changed."""
    shutil.copytree(family.base, tmp_path / "base")
    return tmp_path / "base"


def config(name: str, **changes: Any) -> Change:
    """Changes lines of a config; None takes one out."""

    def change(base: Path) -> None:
        path = base / name
        read = json.loads(path.read_text(encoding="utf-8")) | changes
        path.write_text(json.dumps({key: value for key, value in read.items() if value is not None}))

    return change


@pytest.mark.parametrize(
    "lines",
    [
        {"clip_sample": True, "thresholding": True, "rescale_betas_zero_snr": True},
        {"beta_schedule": "linear", "beta_end": 0.02, "num_train_timesteps": 10},
        {"_class_name": "DPMSolverMultistepScheduler", "prediction_type": None, "timestep_spacing": "trailing"},
        {"set_alpha_to_one": True, "skip_prk_steps": False, "nonsense": [1]},
    ],
)
def test_whatever_a_bases_scheduler_says_the_schedule_is_sdxls(
    loader: PartLoader, base: Path, lines: dict[str, Any]
) -> None:
    config("scheduler/scheduler_config.json", **lines)(base)
    loader.fetch(UNet(Folder(base)))
    assert loader.load(Scheduler()).module.config == scheduler().config
    assert scheduler().config.beta_schedule == "scaled_linear"
    assert scheduler().config.clip_sample is False


@pytest.mark.parametrize("told", ["sample", "flow_prediction", "x", 3])
def test_other_predictions_are_refused(loader: PartLoader, base: Path, told: object) -> None:
    config("scheduler/scheduler_config.json", prediction_type=told)(base)
    with pytest.raises(DemoError, match="predicts something else than noise"):
        loader.fetch(UNet(Folder(base)))


@pytest.mark.parametrize("length", [None, 10**30, 0, -1, 512])
def test_a_prompt_is_as_long_as_the_encoders_read(
    loader: PartLoader, family: TinyFamily, base: Path, length: int | None
) -> None:
    expected = loader.load(TextEncoders(Folder(family.base))).module.tokenizer.model_max_length
    for folder in ("tokenizer", "tokenizer_2"):
        config(f"{folder}/tokenizer_config.json", model_max_length=length)(base)
    loaded = loader.load(TextEncoders(Folder(base))).module
    for tokenizer in (loaded.tokenizer, loaded.tokenizer_2):
        assert tokenizer.model_max_length == expected
        assert len(tokenizer("cat " * 500, truncation=True).input_ids) == expected


def as_pickle(base: Path) -> None:
    torch.save(load_file(base / f"{UNET}.fp16.safetensors"), base / f"{UNET}.bin")
    (base / f"{UNET}.fp16.safetensors").unlink()


def as_bf16(base: Path) -> None:
    save_file(load_file(base / f"{UNET}.fp16.safetensors"), base / f"{UNET}.bf16.safetensors")
    (base / f"{UNET}.fp16.safetensors").unlink()


def sharded(index: str) -> Change:
    def change(base: Path) -> None:
        tensors = load_file(base / f"{UNET}.fp16.safetensors")
        names = sorted(tensors)
        places: dict[str, str] = {}
        for number, some in enumerate((names[::2], names[1::2]), 1):
            file = f"diffusion_pytorch_model.fp16-0000{number}-of-00002.safetensors"
            save_file({name: tensors[name] for name in some}, base / "unet" / file)
            places |= dict.fromkeys(some, file)
        (base / "unet" / index).write_text(json.dumps({"metadata": {}, "weight_map": places}))
        (base / f"{UNET}.fp16.safetensors").unlink()

    return change


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(as_pickle, id="bin"),
        pytest.param(as_bf16, id="bf16"),
        pytest.param(sharded("diffusion_pytorch_model.safetensors.index.fp16.json"), id="shards"),
        pytest.param(sharded("diffusion_pytorch_model.fp16.safetensors.index.json"), id="shards, other spelling"),
        pytest.param(sharded("diffusion_pytorch_model.safetensors.index.json"), id="shards without a variant"),
    ],
)
def test_every_published_form_of_weights_is_found(
    loader: PartLoader, family: TinyFamily, base: Path, form: Change
) -> None:
    form(base)
    part = UNet(Folder(base))
    loader.fetch(part)
    assert_same(loader.load(part).module, loader.load(UNet(Folder(family.base))).module)


def test_encoders_as_pickles_are_found(loader: PartLoader, family: TinyFamily, base: Path) -> None:
    for folder in ("text_encoder", "text_encoder_2"):
        path = next((base / folder).glob("*.safetensors"))
        torch.save(load_file(path), base / folder / "pytorch_model.bin")
        path.unlink()
    part = TextEncoders(Folder(base))
    loader.fetch(part)
    theirs = loader.load(TextEncoders(Folder(family.base))).module
    assert_same(loader.load(part).module.text_encoder, theirs.text_encoder)


@pytest.mark.parametrize("pipeline", ["StableDiffusionXLControlNetPipeline", "StableDiffusionXLInpaintPipeline"])
def test_whole_base_saved_from_another_pipeline_loads(
    loader: PartLoader, family: TinyFamily, base: Path, pipeline: str
) -> None:
    config("model_index.json", _class_name=pipeline)(base)
    loader.fetch(UNet(Folder(base)))
    theirs = loader.load(UNet(Folder(family.base))).module
    assert_same(loader.load(UNet(Folder(base))).module.network, theirs.network)


def test_weights_in_no_known_form_are_told_before_anything_large_is_read(loader: PartLoader, base: Path) -> None:
    for path in (base / "text_encoder_2").glob("*.safetensors"):
        path.rename(path.with_suffix(".gguf"))
    with pytest.raises(DemoError, match=r"^base has no file text_encoder_2/model\.fp16\.safetensors nor any"):
        loader.fetch(UNet(Folder(base)))


@pytest.mark.parametrize(
    "lines",
    [
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        {"_attn_implementation": "flash_attention_9", "torch_dtype": "float7"},
        {"architectures": ["SomethingElse"], "auto_map": {"AutoModel": "evil.Model"}},
    ],
)
def test_how_others_wanted_encoders_loaded_means_nothing(
    loader: PartLoader, family: TinyFamily, base: Path, lines: dict[str, Any]
) -> None:
    config("text_encoder/config.json", **lines)(base)
    loader.fetch(TextEncoders(Folder(base)))
    theirs = loader.load(TextEncoders(Folder(family.base))).module
    assert_same(loader.load(TextEncoders(Folder(base))).module.text_encoder, theirs.text_encoder)


@pytest.mark.parametrize(
    "change",
    [
        config("text_encoder/config.json", num_attention_heads=7),
        config("text_encoder/config.json", hidden_size=96),
        config("text_encoder_2/config.json", hidden_act="no_such"),
        config("text_encoder_2/config.json", projection_dim="wide"),
        config("unet/config.json", cross_attention_dim=1),
        config("unet/config.json", down_block_types=["NoSuchBlock"]),
        config("unet/config.json", projection_class_embeddings_input_dim=None),
        config("unet/config.json", class_embed_type="timestep"),
        config("unet/config.json", num_class_embeds=5),
        config("unet/config.json", encoder_hid_dim_type="image_proj", encoder_hid_dim=8),
        config("unet/config.json", out_channels=8),
        config("text_encoder/config.json", max_position_embeddings=2),
        config("text_encoder_2/config.json", max_position_embeddings=0),
    ],
)
def test_configs_that_can_not_be_used_are_one_sentence_at_the_first_look(
    loader: PartLoader, base: Path, change: Change
) -> None:
    change(base)
    with pytest.raises(DemoError) as raised:
        loader.fetch(UNet(Folder(base)))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("folder", ["tokenizer", "tokenizer_2"])
def test_tokenizer_whose_numbers_the_encoder_has_not_is_refused(loader: PartLoader, base: Path, folder: str) -> None:
    path = base / folder / "tokenizer.json"
    read = json.loads(path.read_text(encoding="utf-8"))
    word = next(iter(reversed(read["model"]["vocab"])))
    read["model"]["vocab"][word] = 60_000
    path.write_text(json.dumps(read), encoding="utf-8")
    with pytest.raises(DemoError, match="is for another text encoder"):
        loader.load(TextEncoders(Folder(base)))


@pytest.mark.parametrize("token", ["pad_token", "bos_token", "eos_token"])
def test_tokenizer_without_a_token_that_prompts_need_is_refused_or_has_it(
    loader: PartLoader, base: Path, token: str
) -> None:
    path = base / "tokenizer" / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {token: None}), encoding="utf-8")
    with suppress(DemoError):
        loaded = loader.load(TextEncoders(Folder(base))).module
        assert getattr(loaded.tokenizer, f"{token}_id") is not None
