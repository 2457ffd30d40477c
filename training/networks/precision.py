"""Half precision where it pays: bfloat16 convolutions and products, the rest in float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where the device multiplies it natively; elsewhere it would be far slower than float32."""
    native = torch.cpu._is_avx512_bf16_supported() if device.type == "cpu" else device.type == "cuda"
    return torch.autocast(device.type, torch.bfloat16, enabled=native)


class Float32Attention:
    """An attention processor whose scores stay in float32.

    On a CPU the backward pass of bfloat16 attention takes longer than all else together.
    """

    def __call__(
        self, attn: Any, hidden_states: torch.Tensor, encoder_hidden_states: torch.Tensor | None = None, **_: Any
    ) -> torch.Tensor:
        """Plain multi-head attention: no mask, no residual, as our UNet uses it."""
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            project(states).float().unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for project, states in ((attn.to_q, hidden_states), (attn.to_k, context), (attn.to_v, context))
        )
        with torch.autocast(hidden_states.device.type, enabled=False):
            mixed = functional.scaled_dot_product_attention(query, key, value)
        output: torch.Tensor = attn.to_out[0](mixed.transpose(1, 2).flatten(2).to(hidden_states.dtype))
        return output


def quick(unet: Any, device: torch.device) -> Any:
    """`unet` on `device`, ready to train under `autocast`."""
    if device.type == "cpu":
        unet.set_attn_processor(Float32Attention())
    return unet.to(device)


def trainable(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that are not frozen."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]
