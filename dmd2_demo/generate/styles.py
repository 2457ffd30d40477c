"""Style LoRAs of one's own: the operator's, from a TOML file, and a visitor's, by hub id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.bases import address_words, require_id, require_main
from dmd2_demo.generate.tables import path_of, read_tables, require_keys, require_own_names, scale_of
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.lora_kind import refusal_of_name
from dmd2_demo.models.family import Family, Licence, StyleLora
from dmd2_demo.models.sources import File, Folder, HubRepo

_KEYS = {"name", "title", "licence", "licence_url", "triggers", "scale", "repo", "revision", "file"}
_USUAL = "pytorch_lora_weights.safetensors"
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]+(/[^/\\\x00-\x1f\x7f]+)*\.safetensors")


def read_styles(path: Path) -> tuple[StyleLora, ...]:
    """The style LoRAs of a TOML file, in its order. DemoError says which entry is wrong and how.

    Each `[[lora]]` has a `name`, a `licence` and a `file`: of `repo` (a hub id, with `revision` if not main) where
    there is one, else a path relative to the TOML file, which may begin with ~. `title`, `triggers` (a list of the
    words that call it up), `scale` and `licence_url` if wanted.
    """
    return tuple(_style(entry, where, path.parent) for where, entry in read_tables(path, "lora", "LoRA"))


def with_styles(family: Family, styles: Iterable[StyleLora]) -> Family:
    """The family with more styles. DemoError where two have one name."""
    together = (*family.styles, *styles)
    require_own_names([style.name for style in together], "style LoRAs")
    return replace(family, styles=together)


def custom_style(hub: Hub, offered: Sequence[StyleLora], named: str) -> StyleLora:
    """The style LoRA that a visitor named: `owner/name`, `owner/name/file.safetensors` or the file's address.

    Never a path. One of those `offered` is given as it stands there. DemoError where nothing is meant, anyone may not
    read it, or its name says already that it gives no style.
    """
    repo_id, name = _place(named)
    for style in offered:
        source = style.file.source
        if isinstance(source, HubRepo) and source.id.casefold() == repo_id.casefold() and name in {"", style.file.name}:
            return style
    repo = HubRepo(hub.spelled(repo_id), anonymous=True)
    file = File(repo, name or _only(hub.names(repo), repo))
    refusal = refusal_of_name(file)
    if refusal:
        raise DemoError(refusal)
    page = Licence("see its page", f"https://huggingface.co/{repo}")
    return StyleLora(f"{repo}/{file.name}", f"{repo}/{file.name}", file, page, ())


def _place(named: str) -> tuple[str, str]:
    """The repository and the file that are meant, "" for whichever it has."""
    text = named.strip()
    words = address_words(text)
    if words is None:
        words = text.rstrip("/").split("/")
    elif words[2:3] and words[2] in {"blob", "resolve", "tree"}:
        require_main(words)
        words = [*words[:2], *map(unquote, words[4:])]
    repo_id, name = "/".join(words[:2]), "/".join(words[2:])
    require_id(repo_id, named)
    if name and (len(name) > 200 or ".." in name or not _NAME.fullmatch(name)):
        raise DemoError(f"{name!r:.100} can't be a style here: a file whose name ends in .safetensors is needed.")
    return repo_id, name


def _only(names: Sequence[str], repo: HubRepo) -> str:
    """The one file of a repository that can be meant."""
    weights = [name for name in names if _NAME.fullmatch(name)]
    if len(weights) == 1 or _USUAL in weights:
        return _USUAL if _USUAL in weights else weights[0]
    if not weights:
        raise DemoError(f"{repo} has no .safetensors file, and only those are read.")
    listed = ", ".join(weights[:4]) + (" ..." if len(weights) > 4 else "")
    raise DemoError(f"{repo} has several files: name one, as {repo}/{weights[0]}. There are: {listed}.")


def _style(entry: Mapping[str, Any], where: str, folder: Path) -> StyleLora:
    require_keys(entry, where, _KEYS, ("name", "licence", "file"), {"scale", "triggers"})
    triggers = entry.get("triggers", [])
    if not isinstance(triggers, list) or not all(isinstance(words, str) and words.strip() for words in triggers):
        raise DemoError(f"{where}: triggers must be a list of texts in quotes.")
    if not entry["file"].endswith(".safetensors"):
        raise DemoError(f"{where}: file must name a .safetensors file; others may hold programs and are not read.")
    licence = Licence(entry["licence"], entry.get("licence_url", ""))
    scale = scale_of(entry, where, StyleLora.scale)
    title = entry.get("title", entry["name"])
    return StyleLora(entry["name"], title, _file(entry, where, folder), licence, tuple(triggers), scale)


def _file(entry: Mapping[str, Any], where: str, folder: Path) -> File:
    if "repo" in entry:
        return File(HubRepo(entry["repo"], entry.get("revision", "main")), entry["file"])
    if "revision" in entry:
        raise DemoError(f"{where}: only a repo has a revision.")
    path = path_of(entry["file"], where, folder)
    if not path.is_file():
        raise DemoError(f"{where}: there is no file {entry['file']}.")
    return File(Folder(path.parent), path.name)
