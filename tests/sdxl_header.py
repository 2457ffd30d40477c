"""What tells an SDXL file of the original release from others: names in its header."""

from __future__ import annotations

from dmd2_demo.hub.safetensors_header import Tensor

FIRST = "model.diffusion_model.input_blocks.0.0.weight"
SDXL_CLIP = "conditioner.embedders.0.transformer.text_model.embeddings.position_embedding.weight"
SDXL_OPEN_CLIP = "conditioner.embedders.1.model.ln_final.weight"
REFINER_CLIP = "conditioner.embedders.0.model.ln_final.weight"


def sdxl(width: int = 2048) -> dict[str, Tensor]:
    """As much of a whole SDXL file's header as tells it apart."""
    tensors = {name: Tensor("F16", (8, 8)) for name in (SDXL_CLIP, SDXL_OPEN_CLIP, "denoiser.sigmas")}
    tensors[FIRST] = Tensor("F16", (320, 4, 3, 3))
    for block in ("input_blocks.8", "middle_block"):
        for number in range(10):
            name = f"model.diffusion_model.{block}.1.transformer_blocks.{number}.attn2.to_k.weight"
            tensors[name] = Tensor("F16", (1280, width))
    return tensors
