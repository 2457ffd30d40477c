"""From a picture file to the settings inside of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.clean_json import clean_json
from dmd2_demo.generate.metadata import a1111, comfyui, fooocus, xmp
from dmd2_demo.generate.metadata.found import Found
from dmd2_demo.generate.picture_file import exif_of, opened

OURS = "this demo"

_DEEPEST = 50
_LONGEST = 1_000_000
"""Letters that are read of what a file tells; ComfyUI's graphs have some ten thousand."""


def read(path: str | Path | None) -> Found:
    """The settings in a PNG, WebP or JPEG: ours, WebUI's, ComfyUI's or Fooocus'.

    DemoError where it is no picture, says nothing, or says what can't be read.
    """
    if path is None:
        raise DemoError("Choose a picture first.")
    texts = _texts(Path(path))
    short = {name: text for name, text in texts.items() if len(text) <= _LONGEST}
    for reader in (_ours, _theirs):
        found = reader(short)
        if found is not None:
            try:
                settings, ignored, loras = (
                    clean_json(told, _DEEPEST) for told in (found.settings, found.ignored, found.loras)
                )
            except ValueError:
                raise DemoError("The settings in that picture are nested too deep: they are not read.") from None
            return replace(found, settings=settings, ignored=ignored, loras=loras)
    if len(short) < len(texts):
        raise DemoError(
            f"What that picture says about itself is longer than {_LONGEST:,} letters, of which none that can be read "
            "are settings."
        )
    raise DemoError(
        "There are no settings in that picture that can be read here: it is a photo, was saved without them, or by a "
        "tool of another kind."
    )


def _texts(path: Path) -> dict[str, str]:
    """Every text in the file that may hold settings, by where it stands."""
    with opened(path) as image:
        if image.format == "PNG":
            # Text may stand behind the pixels as well.
            image.load()
        texts = {str(name): text for name, text in image.info.items() if isinstance(text, str)}
        packet = image.info.get("xmp", b"")
        for tag, text in exif_of(image).items():
            texts[f"exif {tag}"] = _decoded(text)
    ours = xmp.settings_in(packet if isinstance(packet, bytes) else str(packet).encode())
    return texts | ({"dmd2": ours} if ours else {})


def _decoded(value: object) -> str:
    """An EXIF value as text; user comments begin with their encoding."""
    if isinstance(value, bytes):
        head, rest = value[:8], value[8:]
        if head == b"UNICODE\0":
            # Big-endian as WebUI writes it, unless the settings, which are Latin, stand in the other order.
            order = "utf-16-le" if rest[1::2].count(0) > rest[::2].count(0) else "utf-16-be"
            return rest.decode(order, "replace")
        return (rest if head == b"ASCII\0\0\0" else value).decode(errors="replace")
    return value if isinstance(value, str) else ""


def _ours(texts: Mapping[str, str]) -> Found | None:
    told = _json(texts.get("dmd2", ""))
    return Found(OURS, told) if isinstance(told, dict) and "prompt" in told else None


def _theirs(texts: Mapping[str, str]) -> Found | None:
    """What other tools wrote, without WebUI's terms for LoRAs, which are copied from tool to tool."""
    found = _read(texts)
    if found is None:
        return None
    prompt, loras = a1111.without_loras(str(found.settings["prompt"]))
    return replace(found, settings={**found.settings, "prompt": prompt}, loras={**loras, **found.loras})


def _read(texts: Mapping[str, str]) -> Found | None:
    """What other tools wrote, whatever the place: each knows its own form."""
    for text in texts.values():
        # ComfyUI puts "prompt:" before its graph where it is in EXIF.
        told = _json(text.removeprefix("prompt:").removeprefix("Prompt:"))
        for reader in (comfyui.read, fooocus.read):
            found = reader(told)
            if found is not None:
                return found
    for text in texts.values():
        found = a1111.read(text.strip("\0"))
        if found is not None:
            return found
    return None


def _json(text: str) -> Any:
    """What the text holds as JSON; None where that is nothing, or is nested too deep."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
