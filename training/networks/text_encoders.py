"""Untrained CLIP text encoders with SDXL's roles and our sizes."""

from __future__ import annotations

from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from training.networks.tokenizer import POSITIONS

# The UNet reads both side by side. They differ because diffusers tells the two apart by width in a single-file
# checkpoint.
WIDTHS = (48, 64)


def make_text_encoders(tokenizer: CLIPTokenizer) -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """Two CLIP text encoders, the second with a projection; SDXL reads the layer before the last of each."""

    def config(width: int, layers: int) -> CLIPTextConfig:
        return CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=4 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=POSITIONS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )

    encoders = CLIPTextModel(config(WIDTHS[0], 2)), CLIPTextModelWithProjection(config(WIDTHS[1], 3))
    for encoder in encoders:
        # Words must look different from the first step on.
        nn.init.normal_(encoder.get_input_embeddings().weight, std=0.1)
    return encoders
