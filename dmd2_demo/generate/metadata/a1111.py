"""The text of Stable Diffusion WebUI and of all that write the same: the prompt, then a line of settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from dmd2_demo.generate.metadata.found import Found

TOOL = "Stable Diffusion WebUI"

_NEGATIVE = "Negative prompt:"
_SETTINGS = re.compile(r"^[^\S\n]*Steps: ?\d", re.MULTILINE)
_NAME = re.compile(r"([^:]*): *")
_LORA = re.compile(r"<(lora|lyco):([^:<>]{1,200})(?::(-?(?:\d{1,3}(?:\.\d{0,6})?|\.\d{1,6}))?[^<>]{0,40})?>")


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
    settings: dict[str, Any] = {"prompt": prompt.strip()}
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


def without_loras(prompt: str) -> tuple[str, dict[str, float]]:
    """The prompt without WebUI's terms for LoRAs, and those LoRAs' scales."""
    loras = {name: float(scale or 1) for _, name, scale in _LORA.findall(prompt)}
    return (_LORA.sub("", prompt).strip() if loras else prompt), loras


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """The names and values of "Steps: 4, Model: "a, b", Seed: 1"; some extensions add lines, each of one pair."""
    line, *more = text.strip().split("\n")
    place, whole = 0, True
    while match := _NAME.match(line, place):
        name, place = match[1].rpartition(",")[2].strip(), match.end()
        comma = line.find(",", place) % (len(line) + 1)  # the end, where there is none
        value = line[place:comma].strip()
        if whole and value.startswith(('"', "[", "{")):
            try:
                told, comma = json.JSONDecoder().raw_decode(line, place)
                value = told if isinstance(told, str) else line[place:comma]
            except (ValueError, RecursionError):
                whole = False  # tried once only: the rest may be of the same kind, and long
        if name:
            yield name, value
        place = line.find(",", comma) + 1 or len(line)
    for pair in more:
        name, colon, value = pair.partition(":")
        if name.strip() and colon:
            yield name.strip(), value.strip()


def _number(text: str) -> object:
    return int(text) if re.fullmatch(r"-?\d{1,20}", text) else text
