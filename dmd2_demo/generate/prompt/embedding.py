"""What a pipeline is called with for a prompt: its text where that is all, else the embeddings of its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.utils.torch_utils import get_module_execution_device

from dmd2_demo.generate.prompt import weights
from dmd2_demo.generate.prompt.chunks import SPECIAL, WORD_END, Chunk, Chunked, chunked


def call_arguments(pipeline: Any, prompt: str, *, plain: bool) -> dict[str, Any]:
    """What an SDXL pipeline of diffusers is to be called with, so that it reads all of `prompt` at its weights.

    A plain one, and one without weights that fits, goes as the model card hands it over. Else it is `prompt_embeds`,
    (1, n * places, features) of its n chunks, one after the other, and `pooled_prompt_embeds` of the first chunk,
    without weights.
    """
    if plain:
        return {"prompt": prompt}
    sections = weights.read(prompt)
    tokenizers = (pipeline.tokenizer, pipeline.tokenizer_2)
    both = [_chunked(tokenizer, sections) for tokenizer in tokenizers]
    if weights.is_plain(sections) and all(read.in_one for read in both):
        return {"prompt": "".join(piece.text for piece in sections[0])}
    # Should they count differently, there are still as many places of each.
    most = max(len(read.chunks) for read in both)
    encoders = (pipeline.text_encoder, pipeline.text_encoder_2)
    (one, _), (two, pooled) = (
        _encoded(encoder, tokenizer, read.chunks + ((),) * (most - len(read.chunks)))
        for encoder, tokenizer, read in zip(encoders, tokenizers, both, strict=True)
    )
    embeddings = torch.cat([one, two], dim=-1)
    return {"prompt_embeds": embeddings.flatten(0, 1)[None], "pooled_prompt_embeds": pooled}


def left_out(pipeline: Any, prompt: str, *, plain: bool) -> str:
    """The end of `prompt` that no text encoder reads; "" where they read it all. A plain one is cut after a chunk."""
    tokenizer = pipeline.tokenizer
    if plain:
        ids = tokenizer(prompt, add_special_tokens=False, truncation=False, verbose=False).input_ids
        rest = ids[tokenizer.model_max_length - SPECIAL :]
    else:
        rest = [token.id for token in _chunked(tokenizer, weights.read(prompt)).left_out]
    return str(tokenizer.decode(rest)).strip()


def weighted(hidden: torch.Tensor, empty: torch.Tensor, each: torch.Tensor) -> torch.Tensor:
    """Embeddings (n, places, features) at the weights of `each` (n, places): further from or nearer to `empty`.

    `empty`, (1, places, features), is what an empty prompt has. At weight 1 not a bit changes.
    """
    return hidden + (hidden - empty) * (each - 1)[..., None].to(hidden.dtype)


def _chunked(tokenizer: Any, sections: Sequence[weights.Section]) -> Chunked:
    def tokenize(texts: list[str]) -> list[list[tuple[int, bool]]]:
        read = tokenizer(texts, add_special_tokens=False, truncation=False, verbose=False).input_ids
        return [[(number, _ends_word(tokenizer, number)) for number in ids] for ids in read]

    return chunked(sections, tokenize, tokenizer.model_max_length - SPECIAL)


def _ends_word(tokenizer: Any, number: int) -> bool:
    return str(tokenizer.convert_ids_to_tokens(number)).endswith(WORD_END)


@torch.no_grad()
def _encoded(encoder: Any, tokenizer: Any, chunks: Sequence[Chunk]) -> tuple[torch.Tensor, torch.Tensor]:
    """The embeddings of the chunks at their weights, and the first output for the first chunk."""
    device = get_module_execution_device(encoder)
    # The last row is empty: what weights are relative to.
    output = encoder(
        torch.tensor([_ids(tokenizer, chunk) for chunk in (*chunks, ())], device=device), output_hidden_states=True
    )
    hidden = output.hidden_states[-2]
    each = torch.ones(hidden.shape[:2], device=hidden.device)
    for row, chunk in enumerate(chunks):
        each[row, 1 : len(chunk) + 1] = torch.tensor([token.weight for token in chunk])
    return weighted(hidden[:-1], hidden[-1:], each[:-1]), output[0][:1]


def _ids(tokenizer: Any, chunk: Chunk) -> list[int]:
    ids = [tokenizer.bos_token_id, *(token.id for token in chunk), tokenizer.eos_token_id]
    return ids + [tokenizer.pad_token_id] * (tokenizer.model_max_length - len(ids))
