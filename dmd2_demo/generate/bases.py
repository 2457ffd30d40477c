"""Bases of one's own: the operator's, from a TOML file, and a visitor's, by hub id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import constants

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.tables import path_of, read_tables, require_keys, require_own_names, scale_of
from dmd2_demo.hub.model_kind import ModelKind, of_file
from dmd2_demo.models.catalogue import FAMILIES, SDXL_CONFIGS
from dmd2_demo.models.family import CommunityBase, Family, Licence
from dmd2_demo.models.sources import Folder, HubRepo, PipelineSource, SingleFile

_PLACES = ("repo", "folder", "file")
_KEYS = {"name", "title", "licence", "licence_url", "scale", "revision", *_PLACES}
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}"


def read_bases(path: Path) -> tuple[CommunityBase, ...]:
    """The bases of a TOML file, in its order. DemoError says which entry is wrong and how.

    Each `[[base]]` has a `name`, a `licence`, and one of `repo` (a hub id, with `revision` if not main), `folder`
    (diffusers' layout) or `file` (a single .safetensors file); `title`, `scale` and `licence_url` if wanted. Paths
    are relative to the TOML file, and may begin with ~.
    """
    return tuple(_base(entry, where, path.parent) for where, entry in read_tables(path, "base", "base"))


def with_bases(family: Family, bases: Iterable[CommunityBase]) -> Family:
    """The family with more bases. DemoError where two have one name."""
    together = (*family.bases, *bases)
    require_own_names([base.name for base in together], "bases")
    return replace(family, bases=together)


def custom(spelled: Callable[[str], str], named: str, offered: Sequence[CommunityBase] = ()) -> CommunityBase:
    """The base that a visitor named: a public repository, `owner/name` or its page's address, and never a path.

    `spelled` gives an id as the hub spells it. One of those `offered` by the operator or of the catalogue's own is
    given as it stands there, with its licence and scale. DemoError where nothing is meant.
    """
    repo_id = _repo_id(named)
    require_id(repo_id, named)
    known = _known(repo_id, offered)
    if known:
        return known
    repo_id = spelled(repo_id)
    page = Licence("see its page", f"https://huggingface.co/{repo_id}")
    # A former name leads to the new one.
    return _known(repo_id, offered) or CommunityBase(repo_id, repo_id, HubRepo(repo_id, anonymous=True), page)


def require_id(repo_id: str, named: str) -> None:
    """Raises DemoError where that can't be a repository's id; `named` is what was typed."""
    if not re.fullmatch(f"{_WORD}/{_WORD}", repo_id) or ".." in repo_id or "--" in repo_id:
        raise DemoError(f"{named.strip()!r:.100} is no repository on the hub: one looks like owner/name.")


def _repo_id(named: str) -> str:
    """What was typed, or the `owner/name` in the address of a repository's page or of something in it.

    DemoError where the address is another revision's: what is read is main.
    """
    text = named.strip()
    words = address_words(text)
    if words is None:
        return text.rstrip("/ ")
    require_main(words)
    return text if words[0] in {"spaces", "datasets", "collections", "papers"} else "/".join(words[:2])


def require_main(words: list[str]) -> None:
    """Raises DemoError where the words of an address, as `address_words` gives them, name another revision."""
    if words[2:3] and words[2] in {"tree", "blob", "resolve"} and words[3:4] not in ([], ["main"]):
        raise DemoError(f"Only the main revision of a repository can be named here, not {words[3]!r:.100}.")


def address_words(text: str) -> list[str] | None:
    """What stands between the slashes of an address on the hub, its host left out; None where it is none."""
    hosts = "|".join(
        map(re.escape, ("huggingface.co", "www.huggingface.co", "hf.co", urlsplit(constants.ENDPOINT).netloc))
    )
    address = re.fullmatch(rf"(?:https?://)?(?:{hosts})/+(.*)", text, re.IGNORECASE)
    return re.split(r"[?#]", address[1])[0].strip("/ ").split("/") if address else None


def _known(repo_id: str, offered: Sequence[CommunityBase]) -> CommunityBase | None:
    """The hub takes an id in any capitals."""
    for base in (*offered, *(base for family in FAMILIES.values() for base in family.bases)):
        if isinstance(base.source, HubRepo) and base.source.id.casefold() == repo_id.casefold():
            return base
    return None


def _base(entry: Mapping[str, Any], where: str, folder: Path) -> CommunityBase:
    require_keys(entry, where, _KEYS, ("name", "licence"), {"scale"})
    scale = scale_of(entry, where, CommunityBase.scale)
    licence = Licence(entry["licence"], entry.get("licence_url", ""))
    return CommunityBase(
        entry["name"], entry.get("title", entry["name"]), _source(entry, where, folder), licence, scale
    )


def _source(entry: Mapping[str, Any], where: str, folder: Path) -> PipelineSource:
    places = [place for place in _PLACES if place in entry]
    if len(places) != 1:
        raise DemoError(f"{where} needs one of repo, folder and file.")
    place = entry[places[0]]
    if places == ["repo"]:
        return HubRepo(place, entry.get("revision", "main"))
    if "revision" in entry:
        raise DemoError(f"{where}: only a repo has a revision.")
    if places == ["folder"]:
        if not (at := path_of(place, where, folder)).is_dir():
            raise DemoError(f"{where}: there is no folder {place}.")
        return Folder(at)
    source = SingleFile(path_of(place, where, folder), SDXL_CONFIGS)
    kind = of_file(source)
    if kind is not ModelKind.SDXL:
        raise DemoError(f"{where}: {place} is {kind}, and an SDXL base is needed.")
    return source
