"""Text as Markdown or HTML that shows it letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from dmd2_demo.models.family import CommunityBase, StyleLora

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def plain(text: str) -> str:
    """Markdown that shows `text` in one line and makes nothing of it: no link, picture, formula or HTML."""
    return _PUNCTUATION.sub(lambda mark: f"&#{ord(mark[0])};", " ".join(text.split()))


def licence_line(weights: CommunityBase | StyleLora) -> str:
    """Markdown of what these weights allow, and of the scale that suits them."""
    licence = weights.licence
    name = plain(licence.name)
    link = f"[{name}]({licence.url})" if licence.url else name
    note = f", {plain(licence.note)}" if licence.note else ""
    return f"Licence: {link}{note} · suggested scale {weights.scale:g}"


def as_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """HTML of a table with these words, whose first column names what is in the others."""
    first = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    rest = (
        f'<th scope="row">{escape(name)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        for name, *cells in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in rest)
    return f'<table class="facts"><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>'
