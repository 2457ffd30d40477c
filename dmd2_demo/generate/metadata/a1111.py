"""The text of Stable Diffusion WebUI and of all that write the same: the prompt, then a line of settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from dmd2_demo.generate.metadata.found import Found
from dmd2_demo.generate.styled import SLOTS
from dmd2_demo.hub.lora_kind import is_distillation

TOOL = "Stable Diffusion WebUI"

_NEGATIVE = "Negative prompt:"
_SETTINGS = re.compile(r"^\s*Steps: ?\d", re.MULTILINE)
_LORA = re.compile(r"<(lora|lyco):([^:<>]{1,200})(?::([^<>]{0,40}))?>")


def read(text: str) -> Found | None:
    """The settings of that text; None where it is none of this kind."""
    # The last line that looks like it: a prompt may hold anything.
    starts = [match.start() for match in _SETTINGS.finditer(text)]
    if not starts:
        return None
    words, settings_line = text[: starts[-1]], text[starts[-1] :]
    prompt, _, negative = words.partition(f"\n{_NEGATIVE}")
    if words.startswith(_NEGATIVE):
        prompt, negative = "", words.removeprefix(_NEGATIVE)
    ignored = {"Negative prompt": negative.strip()} if negative.strip() else {}
    settings: dict[str, Any] = {"prompt": _LORA.sub("", prompt).strip()}
    slots = iter(SLOTS)
    for _, name, scale in _LORA.findall(prompt):
        slot = None if is_distillation(name) else next(slots, None)
        if slot:
            settings[slot] = name
            settings[f"{slot}_scale"] = _decimal(scale or "1")
        else:
            ignored[f"LoRA {name}"] = f"scale {scale or 1}"
    for name, value in _pairs(settings_line):
        if name == "Seed":
            settings["seed"] = _number(value)
        elif name == "Size":
            settings.update(size(value))
        else:
            ignored[name] = value
    return Found(TOOL, settings, ignored)


def size(text: str) -> dict[str, int]:
    """Width and height of "512x768", and of the other ways to write it; nothing where it is none."""
    numbers = re.findall(r"\d{1,6}", text[:40])
    return dict(zip(("width", "height"), map(int, numbers), strict=True)) if len(numbers) == 2 else {}


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """The names and values of "Steps: 4, Model: "a, b", Seed: 1"."""
    for piece in _pieces(line.replace("\n", ", ")):
        name, colon, value = piece.partition(":")
        name, value = name.strip(), value.strip()
        if value.startswith('"'):
            with suppress(ValueError):
                value = str(json.loads(value))
        if name and colon:
            yield name, value


def _pieces(line: str) -> Iterator[str]:
    """Cut at commas that stand in no quotes. One pass, whatever is in it."""
    piece, quoted, escaped = list[str](), False, False
    for letter in line:
        if letter == "," and not quoted:
            yield "".join(piece)
            piece = []
            continue
        quoted ^= letter == '"' and not escaped
        escaped = letter == "\\" and not escaped
        piece.append(letter)
    yield "".join(piece)


def _decimal(text: str) -> object:
    return float(text) if re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text) else text


def _number(text: str) -> object:
    return int(text) if re.fullmatch(r"-?\d{1,20}", text) else text
