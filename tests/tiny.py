"""A whole random family in a few MB, laid out as the published one is: enough for every test of plumbing."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, T2IAdapter, UNet2DConditionModel
from safetensors.torch import save_file
from tokenizers import pre_tokenizers
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from training.family.export import MODEL_INDEX
from training.family.single_file import single_file

WIDTHS = (8, 16)  # of the text encoders, as different as SDXL's: in a single file width tells them apart


@dataclass(frozen=True)
class TinyFamily:
    """Folders, each laid out as a published repository is."""

    base: Path
    dmd2: Path
    adapter: Path
    single_file: Path


def write_family(root: Path) -> TinyFamily:
    """Writes the family under `root`: the same bytes each time."""
    torch.manual_seed(0)
    family = TinyFamily(root / "base", root / "dmd2", root / "adapter", root / "community.safetensors")
    write_base(family.base)
    family.dmd2.mkdir()
    four, one = make_unet(), make_unet()
    save_file(_half(four.state_dict()), family.dmd2 / "dmd2_sdxl_4step_unet_fp16.safetensors")
    torch.save(_half(one.state_dict()), family.dmd2 / "dmd2_sdxl_1step_unet_fp16.bin")
    save_file(make_lora(four), family.dmd2 / "dmd2_sdxl_4step_lora_fp16.safetensors")
    adapter = T2IAdapter(
        in_channels=3, channels=[16, 32], num_res_blocks=1, downscale_factor=8, adapter_type="full_adapter_xl"
    )
    adapter.half().save_pretrained(family.adapter, variant="fp16")
    save_file(single_file(make_unet(), make_vae(), *make_text_encoders()), family.single_file)
    return family


def write_base(folder: Path) -> None:
    """A base in diffusers' layout, in half precision as the fp16 variant."""
    save(make_unet(), folder / "unet")
    save(make_vae(), folder / "vae")
    one, two = make_text_encoders()
    save(one, folder / "text_encoder")
    save(two, folder / "text_encoder_2")
    for name, pad in (("tokenizer", "<|endoftext|>"), ("tokenizer_2", "!")):
        make_tokenizer(pad).save_pretrained(folder / name)
    EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading", steps_offset=1
    ).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(MODEL_INDEX))


def make_unet(**changes: Any) -> UNet2DConditionModel:
    """SDXL's kinds of blocks, two resolutions."""
    shape: dict[str, Any] = {
        "sample_size": 8,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 1),
        "attention_head_dim": (2, 2),
        "cross_attention_dim": sum(WIDTHS),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": WIDTHS[1] + 6 * 8,
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(**(shape | changes))


def make_vae() -> AutoencoderKL:
    """Eight pixels a latent, as SDXL's."""
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        layers_per_block=1,
        mid_block_add_attention=False,
        sample_size=64,
        scaling_factor=0.13025,
    )


def make_text_encoders() -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """SDXL's two kinds."""

    def config(layers: int, width: int) -> CLIPTextConfig:
        return CLIPTextConfig(
            vocab_size=514,
            hidden_size=width,
            intermediate_size=2 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=512,
            eos_token_id=513,
            pad_token_id=513,
        )

    return CLIPTextModel(config(2, WIDTHS[0])), CLIPTextModelWithProjection(config(3, WIDTHS[1]))


def make_tokenizer(pad: str) -> CLIPTokenizer:
    """CLIP's order without merges: bytes, bytes at a word's end, start and end."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], pad_token=pad, model_max_length=77)


def make_lora(unet: nn.Module, rank: int = 4) -> dict[str, torch.Tensor]:
    """The published LoRA's keys: every linear and convolution layer that it targets, alpha 8."""
    lora = {}
    for name, module in unet.named_modules():
        if not isinstance(module, nn.Linear | nn.Conv2d) or name.startswith(("conv_", "time_embedding", "add_")):
            continue
        key = "lora_unet_" + name.replace(".", "_")
        out, rest = module.weight.shape[0], module.weight.shape[1:]
        lora[f"{key}.lora_down.weight"] = torch.randn(rank, *rest).half() * 0.1
        lora[f"{key}.lora_up.weight"] = torch.randn(out, rank, *([1] * (len(rest) - 1))).half() * 0.1
        lora[f"{key}.alpha"] = torch.tensor(8.0).half()
    return lora


def save(module: Any, folder: Path) -> None:
    """As the fp16 variant; the caller's module stays as it is no longer needed."""
    module.half().save_pretrained(folder, **({"variant": "fp16"} if hasattr(module, "save_config") else {}))
    plain = folder / "model.safetensors"
    if plain.exists():
        shutil.move(plain, folder / "model.fp16.safetensors")


def _half(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.half().contiguous() for name, tensor in tensors.items()}
