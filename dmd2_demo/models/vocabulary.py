"""What a family can draw, where that is a list, and what a prompt asks beyond it."""

from __future__ import annotations

import json
import re
from pathlib import Path


class Vocabulary:
    """The words of `words.json` beside a family's weights."""

    def __init__(self, path: Path) -> None:
        words = json.loads(path.read_text(encoding="utf-8"))
        self.things: tuple[str, ...] = tuple(words["things"])
        self.styles: tuple[str, ...] = tuple(words["styles"])
        self.colours: tuple[str, ...] = tuple(words["colours"])
        self._known = {*self.things, *self.styles, *self.colours, *words["templates"]}

    def unknown(self, prompt: str) -> list[str]:
        """The words of `prompt` that the family never saw, each once, in order."""
        words = re.findall(r"[^\W_]+", prompt.lower())
        return list(dict.fromkeys(word for word in words if word not in self._known))

    def notice(self, prompt: str) -> str | None:
        """A sentence about the words it doesn't know, where there are any."""
        unknown = self.unknown(prompt)
        if not unknown:
            return None
        listed = ", ".join(unknown[:8]) + (" and more" if len(unknown) > 8 else "")
        return f"This small family doesn't know: {listed:.200}."
