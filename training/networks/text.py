"""Captions as the UNet reads them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer


@dataclass(frozen=True)
class Condition:
    """`states` (n, positions, channels), `pooled` (n, width), `time_ids` (n, 6)."""

    states: torch.Tensor
    pooled: torch.Tensor
    time_ids: torch.Tensor

    def repeat(self, times: int) -> Condition:
        """The same `times` over, one after the other."""
        return Condition(self.states.repeat(times, 1, 1), self.pooled.repeat(times, 1), self.time_ids.repeat(times, 1))

    def keep(self, kept: torch.Tensor) -> Condition:
        """The same where `kept` (n,) is 1, zeros where it is 0, as SDXL encodes an empty prompt."""
        return Condition(self.states * kept[:, None, None], self.pooled * kept[:, None], self.time_ids)


class Text(nn.Module):
    """Both text encoders with their tokenizers."""

    def __init__(
        self,
        tokenizers: tuple[CLIPTokenizer, CLIPTokenizer],
        encoders: tuple[CLIPTextModel, CLIPTextModelWithProjection],
    ) -> None:
        super().__init__()
        self.tokenizers = tokenizers
        self.one, self.two = encoders

    def forward(self, captions: list[str], size: tuple[int, int]) -> Condition:
        """The condition for pictures of `size` (width, height), uncropped."""
        device = self.one.device
        first, second = (
            encoder(
                tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids.to(device),
                output_hidden_states=True,
            )
            for tokenizer, encoder in zip(self.tokenizers, (self.one, self.two), strict=True)
        )
        # Under autocast they come in half precision.
        states = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1).float()
        width, height = size
        time_ids = torch.tensor([[height, width, 0, 0, height, width]], device=device, dtype=states.dtype)
        return Condition(states, second.text_embeds.float(), time_ids.expand(len(captions), -1))
