"""Text as Markdown that shows it letter by letter."""

from __future__ import annotations

import re

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def plain(text: str) -> str:
    """Markdown that shows `text` in one line and makes nothing of it: no link, picture, formula or HTML."""
    return _PUNCTUATION.sub(lambda mark: f"&#{ord(mark[0])};", " ".join(text.split()))
