"""Which kernel computes attention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention as AttentionLayer
from diffusers.models.attention_processor import XFormersAttnProcessor
from torch.nn import functional


@dataclass(frozen=True)
class Attention:
    """`kernel` is "sdpa", PyTorch's own, or "xformers". `note` says why it is not the one that was asked for."""

    kernel: str
    note: str | None = None

    def place(self, module: Any) -> None:
        """Makes a UNet compute with it. Elsewhere attention is too little work to matter."""
        if self.kernel == "xformers" and isinstance(module, UNet2DConditionModel):
            for layer in module.modules():
                # No kernel of xformers' takes heads of other widths; SDXL's are 64 wide, the embedded family's 20.
                if isinstance(layer, AttentionLayer) and layer.inner_dim // layer.heads % 8 == 0:
                    # Not enable_xformers_...: it tries float32 first, for which newer GPUs have no kernel.
                    layer.set_processor(XFormersAttnProcessor())


def choose(
    wanted: str, device: torch.device, dtype: torch.dtype, trouble: Callable[[torch.device, torch.dtype], str | None]
) -> Attention:
    """What was wanted where it works. "auto" is PyTorch's own, which is as fast or faster since torch 2.

    `trouble` says what keeps xformers from working there, None where nothing does.
    """
    if wanted != "xformers":
        return Attention("sdpa")
    found = trouble(device, dtype)
    if found is None:
        return Attention("xformers")
    return Attention("sdpa", f"xformers can't be used here ({found}); attention is PyTorch's own.")


def xformers_trouble(device: torch.device, dtype: torch.dtype) -> str | None:
    """Computes a small attention with xformers there and compares it; what is wrong, or None."""
    try:
        from xformers.ops import memory_efficient_attention  # noqa: PLC0415 - often not installed
    except (ImportError, OSError) as error:
        return _first_line(error)
    generator = torch.Generator().manual_seed(0)
    # (batch, tokens, heads, channels) with SDXL's 64 channels a head
    query, key, value = (torch.randn(1, 16, 10, 64, generator=generator).to(device, dtype) for _ in range(3))
    try:
        found = memory_efficient_attention(query, key, value)
    except (RuntimeError, NotImplementedError, ValueError) as error:
        return _first_line(error)
    query, key, value = (heads.transpose(1, 2) for heads in (query, key, value))
    expected = functional.scaled_dot_product_attention(query, key, value)
    if not torch.allclose(found.transpose(1, 2), expected, atol=0.02):
        return "its result is wrong on this device"
    return None


def _first_line(error: Exception) -> str:
    return next((line.strip().rstrip(".:") for line in str(error).splitlines() if line.strip()), type(error).__name__)
