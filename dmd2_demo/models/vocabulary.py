"""What a family can draw, where that is a list, and what a prompt asks beyond it."""

from __future__ import annotations

import re
from pathlib import Path

from dmd2_demo.errors import DemoError
from dmd2_demo.models.content import read_json


class Vocabulary:
    """The words of `words.json` beside a family's weights. DemoError where it is damaged."""

    def __init__(self, path: Path) -> None:
        words = read_json(path)
        try:
            self.things, self.styles, self.colours, templates = (
                tuple(str(word) for word in words[kind]) for kind in ("things", "styles", "colours", "templates")
            )
        except (KeyError, TypeError) as error:
            raise DemoError(f"{path.name} is damaged: it is no list of words.") from error
        self._known = {*self.things, *self.styles, *self.colours, *templates}

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
