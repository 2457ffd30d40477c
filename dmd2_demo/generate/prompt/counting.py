"""How many tokens a prompt has, told before torch is there: by the family's own tokenizer, without transformers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dmd2_demo.generate.prompt import weights
from dmd2_demo.generate.prompt.chunks import SPECIAL, WORD_END, chunked
from dmd2_demo.models.config_file import read_config

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# CLIP's, as transformers builds it.
_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


class TokenCounter:
    """Counts with a tokenizer that is shipped: a `tokenizer.json`, or CLIP's `vocab.json` and `merges.txt`.

    `size` is how many tokens a chunk holds.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415 - the page opens before it is needed

        self.size = int(read_config(folder / "tokenizer_config.json")["model_max_length"]) - SPECIAL
        whole = folder / "tokenizer.json"
        self._tokenizer = Tokenizer.from_file(str(whole)) if whole.is_file() else _clip(folder)

    def sentence(self, prompts: tuple[str, ...], *, plain: bool) -> str:
        """A few words about the longest of `prompts`, of which a `plain` one is cut after its first chunk."""
        if plain:
            return max(map(self._plain, prompts))[1]
        return max(map(self._read, prompts))[1]

    def fits(self, prompt: str) -> bool:
        """Whether all of `prompt` is read in one chunk."""
        return chunked(weights.read(prompt), self._tokenize, self.size).in_one

    def _plain(self, prompt: str) -> tuple[int, str]:
        [ids] = self._tokenize([prompt])
        rest = len(ids) - self.size
        return len(ids), f"{len(ids)} of {self.size} tokens" + (f", the last {rest} are cut off" if rest > 0 else "")

    def _read(self, prompt: str) -> tuple[int, str]:
        found = chunked(weights.read(prompt), self._tokenize, self.size)
        rest = len(found.left_out)
        told = f"{found.tokens} of {len(found.chunks) * self.size} tokens"
        if len(found.chunks) > 1:
            told += f", in {len(found.chunks)} chunks"
        return found.tokens, told + (f"; the last {rest} are cut off" if rest else "")

    def _tokenize(self, texts: list[str]) -> list[list[tuple[int, bool]]]:
        # One by one: a batch starts threads, which a process must not have that is forked later.
        found = (self._tokenizer.encode(text, add_special_tokens=False) for text in texts)
        return [
            [(number, token.endswith(WORD_END)) for number, token in zip(read.ids, read.tokens, strict=True)]
            for read in found
        ]


def _clip(folder: Path) -> Tokenizer:
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers  # noqa: PLC0415

    model = models.BPE.from_file(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        continuing_subword_prefix="",
        end_of_word_suffix=WORD_END,
        fuse_unk=False,
        unk_token=_END,
    )
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in (_START, _END)])
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer
