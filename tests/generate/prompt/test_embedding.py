"""Embeddings of long and weighted prompts, beside compel's, on the embedded family."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from bench import card
from dmd2_demo.generate.prompt.embedding import call_arguments, left_out, weighted
from tests import recipes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from compel import Compel, ReturnedEmbeddingsType
    from compel.embeddings_provider import SplitLongTextMode

LONG = "a fox on a blue background, noto style, with a cat and a red house on a photo of zebras, " * 3
SHORT = "a fox on a blue background"


@pytest.fixture(scope="module")
def pipe() -> Any:
    return recipes.CARD.text_to_image(4)


def compels(pipe: Any, prompt: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Compel's embeddings of both encoders side by side, and its pooled one. Prompts have compel's own syntax."""
    common = {
        "returned_embeddings_type": ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED,
        "truncate_long_prompts": False,
        "split_long_text_mode": SplitLongTextMode.WORDS,
    }
    one = Compel(pipe.tokenizer, pipe.text_encoder, **common)(prompt)
    two, pooled = Compel(pipe.tokenizer_2, pipe.text_encoder_2, requires_pooled=True, **common)(prompt)
    return torch.cat([one, two], dim=-1), pooled


def ours(pipe: Any, prompt: str) -> dict[str, Any]:
    return call_arguments(pipe, prompt, plain=False)


def encoded(pipe: Any, prompt: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The pipeline's own way, which cuts."""
    embeddings, _, pooled, _ = pipe.encode_prompt(prompt, do_classifier_free_guidance=False)
    return embeddings, pooled


@pytest.mark.parametrize("prompt", [SHORT, "a " * 22, "a cat: {fox} | 1.2", "<|endoftext|> a", r"a \o/ cat"])
def test_what_fits_goes_as_the_model_card_hands_it_over(pipe: Any, prompt: str) -> None:
    assert ours(pipe, prompt) == {"prompt": prompt}


@pytest.mark.parametrize("prompt", [SHORT, LONG, "a (fox:1.2)", "a BREAK b", r"\(a\)"])
def test_a_plain_prompt_goes_as_it_is(pipe: Any, prompt: str) -> None:
    assert call_arguments(pipe, prompt, plain=True) == {"prompt": prompt}


@pytest.mark.parametrize(
    ("prompt", "same"),
    [(r"a \(fox\)", "a (fox)"), ("a ([fox])", "a fox"), ("(a fox:1)", "a fox"), ("BREAK a fox", " a fox")],
)
def test_marks_that_weigh_nothing_are_taken_away(pipe: Any, prompt: str, same: str) -> None:
    assert ours(pipe, prompt) == {"prompt": same}


@pytest.mark.parametrize("prompt", [LONG, "a " * 23, "a penguin, " * 40])
def test_a_long_prompt_is_embedded_as_compel_does(pipe: Any, prompt: str) -> None:
    embeddings, pooled = compels(pipe, prompt)
    found = ours(pipe, prompt)
    assert found["prompt_embeds"].shape == embeddings.shape
    assert torch.allclose(found["prompt_embeds"], embeddings, atol=1e-4)
    # Compel cuts what it pools within a word, if need be; its first chunk ends before.
    first = pipe.tokenizer(prompt, add_special_tokens=False, truncation=False, verbose=False).input_ids[:22]
    if pipe.tokenizer.convert_ids_to_tokens(first)[-1].endswith("</w>"):
        assert torch.allclose(found["pooled_prompt_embeds"], pooled, atol=1e-4)


def test_weights_above_1_are_compels(pipe: Any) -> None:
    # Its pooled embedding reads the weights' marks as text, and so is another.
    embeddings, _ = compels(pipe, "a (fox)1.4 on a (blue)1.25 background")
    found = ours(pipe, "a (fox:1.4) on a (blue:1.25) background")
    assert torch.allclose(found["prompt_embeds"], embeddings, atol=1e-4)
    assert torch.allclose(found["pooled_prompt_embeds"], encoded(pipe, SHORT)[1], atol=1e-5)


def test_a_weight_moves_its_own_tokens_from_or_to_the_empty_prompt_and_no_others(pipe: Any) -> None:
    plain, empty = encoded(pipe, SHORT)[0], encoded(pipe, "")[0]
    for weight in (0.5, 0.9, 1.1, 1.5):
        found = ours(pipe, f"a (fox:{weight}) on a blue background")["prompt_embeds"]
        place = 2  # after the start and "a"
        moved = empty[0, place] + weight * (plain[0, place] - empty[0, place])
        assert torch.allclose(found[0, place], moved, atol=1e-4)
        others = [number for number in range(plain.shape[1]) if number != place]
        assert torch.allclose(found[0, others], plain[0, others], atol=1e-5)


def test_not_a_bit_of_unweighted_places_changes_beside_weighted_ones() -> None:
    torch.manual_seed(0)
    hidden, empty, each = torch.randn(2, 24, 8), torch.randn(1, 24, 8), torch.ones(2, 24)
    each[1, 3], each[1, 7] = 1.5, 0.5
    found = weighted(hidden, empty, each)
    assert torch.equal(found[each == 1], hidden[each == 1])
    assert (found[each != 1] != hidden[each != 1]).all()


def test_unweighted_chunks_are_the_encoders_own_and_pooled_is_the_first_ones(pipe: Any) -> None:
    found = ours(pipe, f"{SHORT} BREAK a (cat:1.2) BREAK a house")
    first, _, last = found["prompt_embeds"].chunk(3, dim=1)
    assert torch.allclose(first, encoded(pipe, SHORT)[0], atol=1e-5)
    assert torch.allclose(last, encoded(pipe, "a house")[0], atol=1e-5)
    assert torch.allclose(found["pooled_prompt_embeds"], encoded(pipe, SHORT)[1], atol=1e-5)


def test_tokenizers_that_count_differently_still_make_places_of_each(pipe: Any) -> None:
    class Twice:
        """A tokenizer that finds each token twice."""

        def __init__(self, tokenizer: Any) -> None:
            self._tokenizer = tokenizer

        def __getattr__(self, name: str) -> Any:
            return getattr(self._tokenizer, name)

        def __call__(self, texts: list[str], **how: Any) -> Any:
            found = self._tokenizer(texts, **how)
            found["input_ids"] = [[number for number in ids for _ in range(2)] for ids in found["input_ids"]]
            return found

    one = pipe.tokenizer
    try:
        pipe.tokenizer = Twice(one)
        found = ours(pipe, "a " * 20)
    finally:
        pipe.tokenizer = one
    assert found["prompt_embeds"].shape[1] == 2 * one.model_max_length


def test_what_is_left_out_is_told(pipe: Any) -> None:
    assert left_out(pipe, LONG, plain=False) == ""
    assert left_out(pipe, "a " * 22 + "fox", plain=True) == "fox"
    assert left_out(pipe, "a (fox:1.2)", plain=True) == ""
    assert left_out(pipe, "a " * 704 + "fox", plain=False) == "fox"


def test_a_picture_of_a_long_prompt_reads_its_end(pipe: Any) -> None:
    def picture(prompt: str, *, plain: bool) -> bytes:
        image = pipe(
            **call_arguments(pipe, prompt, plain=plain),
            num_inference_steps=4,
            timesteps=card.TIMESTEPS[4],
            guidance_scale=0,
            generator=torch.Generator("cpu").manual_seed(3),
        ).images[0]
        return bytes(image.tobytes())

    filler = "a picture of " * 8
    ends = [f"{filler} a fox on blue", f"{filler} a car on red"]
    assert len({picture(prompt, plain=True) for prompt in ends}) == 1
    assert len({picture(prompt, plain=False) for prompt in ends}) == 2
