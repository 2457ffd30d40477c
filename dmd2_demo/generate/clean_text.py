"""Text from visitors, without what nobody sees: it would break files and answers, or hide what is written."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")

# Format characters that are letters' and emojis' own: joiners, and the tags that make a flag.
_JOINERS = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}
# Those that are seen, although Unicode counts them among the format characters.
_SIGNS = {*map(chr, range(0x600, 0x606)), "\u06dd", "\u070f", "\u0890", "\u0891", "\u08e2", "\U000110bd", "\U000110cd"}
# Letters and symbols that are drawn as nothing.
_BLANK = set("\u115f\u1160\u2800\u3164\uffa0")

# Accents on one letter. Few scripts need more than four; hundreds draw over what is above and below.
_MOST_MARKS = 8


def whole(text: str) -> str:
    """`text` without halves of surrogate pairs, which UTF-8 can't hold; two that belong together are one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def cleaned(text: str) -> str:
    """`text` as UTF-8 can hold it and as it is seen: lines end in a newline, white space around it is gone.

    Dropped are halves of surrogate pairs, control characters, marks that turn the direction of writing or are
    invisible, code points that are no characters, and accents beyond eight on a letter.
    """
    seen = filter(_stays, _LINE_ENDS.sub("\n", whole(text)).replace("\t", " "))
    runs = ((list(run), marks) for marks, run in groupby(seen, _is_mark))
    return "".join("".join(run[:_MOST_MARKS] if marks else run) for run, marks in runs).strip()


def is_blank(text: str) -> bool:
    """Whether nothing of `text` is seen."""
    return all(character.isspace() or character in _BLANK or _is_unseen(character) for character in text)


def _stays(character: str) -> bool:
    code = ord(character)
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return False
    kind = unicodedata.category(character)
    return character == "\n" or character in _JOINERS or character in _SIGNS or kind not in {"Cc", "Cf", "Cs"}


def _is_unseen(character: str) -> bool:
    return character in _JOINERS or _is_mark(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
