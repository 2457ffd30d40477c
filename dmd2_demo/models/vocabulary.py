"""What a family can draw, where that is a list, what a prompt means by other words, and what it asks beyond it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dmd2_demo.errors import DemoError
from dmd2_demo.models.content import read_json
from dmd2_demo.models.synonyms import SYNONYMS

_WORD = re.compile(r"[^\W_]+")
_WITH_ARTICLE = re.compile(r"(?:\b(an?)(\s+))?([^\W_]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Understood:
    """A prompt in words that the family knows, as far as that goes, and which word was taken for which."""

    prompt: str
    taken: dict[str, str]

    @property
    def notice(self) -> str | None:
        """A sentence about the words that were taken for others, where there are any."""
        if not self.taken:
            return None
        pairs = [f"“{word}” was taken for “{known}”" for word, known in list(self.taken.items())[:8]]
        return f"{', '.join(pairs)}{' and so on' if len(self.taken) > 8 else ''}."


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
        others = {word: known for word, known in SYNONYMS.items() if known in self._known}
        named = {**{thing: thing for thing in self.things}, **others}
        many = {form: known for word, known in named.items() for form in plurals(word)}
        self._taken = {word: known for word, known in (many | others).items() if word not in self._known}

    def understood(self, prompt: str) -> Understood:
        """`prompt` with plurals and other words for what it knows in its own words. Those stay as they are written."""
        taken: dict[str, str] = {}

        def replaced(found: re.Match[str]) -> str:
            known = self._taken.get(found[3].lower())
            if known is None:
                return found[0]
            taken[found[3].lower()] = known
            spoken = known[0] in "aeiou" and not known.startswith("uni")
            article = f"{'an' if spoken else 'a'}{found[2]}" if found[1] else ""
            return article + known

        return Understood(_WITH_ARTICLE.sub(replaced, prompt), taken)

    def unknown(self, prompt: str) -> list[str]:
        """The words of `prompt` that the family never saw, each once, in order."""
        words = _WORD.findall(prompt.lower())
        return list(dict.fromkeys(word for word in words if word not in self._known and word not in self._taken))

    def notice(self, prompt: str) -> str | None:
        """A sentence about the words it doesn't know, where there are any."""
        unknown = self.unknown(prompt)
        if not unknown:
            return None
        listed = ", ".join(unknown[:8]) + (" and more" if len(unknown) > 8 else "")
        return f"This small family doesn't know: {listed:.200}."


def plurals(word: str) -> Iterator[str]:
    """How several are called, by the rules of English; more than one form where both are written."""
    if word.endswith("man"):
        yield f"{word[:-3]}men"
    elif word.endswith(("s", "x", "z", "ch", "sh")):
        yield f"{word}es"
    elif word[-1] == "y" and word[-2:-1] not in tuple("aeiou"):
        yield f"{word[:-1]}ies"
    else:
        yield f"{word}s"
        if word.endswith("o"):
            yield f"{word}es"
