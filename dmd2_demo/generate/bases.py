"""Bases of one's own: the operator's, from a TOML file, and a visitor's, by hub id."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import constants

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.model_kind import ModelKind, of_file
from dmd2_demo.models.catalogue import FAMILIES, SDXL_CONFIGS
from dmd2_demo.models.content import read_text, require_itself
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
    require_itself(path)
    try:
        read = tomllib.loads(read_text(path))
    except OSError as error:
        raise DemoError(f"The file of bases, {path.name}, can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DemoError(f"The file of bases, {path.name}, is not in UTF-8.") from error
    except ValueError as error:
        raise DemoError(f"The file of bases, {path.name}, is no valid TOML: {error}.") from error
    entries = read.pop("base", [])
    if read or not isinstance(entries, list) or not entries:
        raise DemoError(f"{path.name} must hold bases as [[base]] tables and nothing else.")
    return tuple(_base(entry, f"Base {i} of {path.name}", path.parent) for i, entry in enumerate(entries, 1))


def with_bases(family: Family, bases: Iterable[CommunityBase]) -> Family:
    """The family with more bases. DemoError where two have one name."""
    together = (*family.bases, *bases)
    names = [base.name for base in together]
    for name in names:
        if names.count(name) > 1:
            raise DemoError(f"Two bases are called {name!r}.")
    return replace(family, bases=together)


def custom(spelled: Callable[[str], str], named: str, offered: Sequence[CommunityBase] = ()) -> CommunityBase:
    """The base that a visitor named: a public repository, `owner/name` or its page's address, and never a path.

    `spelled` gives an id as the hub spells it. One of those `offered` by the operator or of the catalogue's own is
    given as it stands there, with its licence and scale. DemoError where nothing is meant.
    """
    repo_id = _repo_id(named)
    if not re.fullmatch(f"{_WORD}/{_WORD}", repo_id) or ".." in repo_id or "--" in repo_id:
        raise DemoError(f"{named.strip()!r:.100} is no repository on the hub: one looks like owner/name.")
    known = _known(repo_id, offered)
    if known:
        return known
    repo_id = spelled(repo_id)
    page = Licence("see its page", f"https://huggingface.co/{repo_id}")
    # A former name leads to the new one.
    return _known(repo_id, offered) or CommunityBase(repo_id, repo_id, HubRepo(repo_id, anonymous=True), page)


def _repo_id(named: str) -> str:
    """What was typed, or the `owner/name` in the address of a repository's page or of something in it.

    DemoError where the address is another revision's: what is read is main.
    """
    text = named.strip()
    hosts = "|".join(
        map(re.escape, ("huggingface.co", "www.huggingface.co", "hf.co", urlsplit(constants.ENDPOINT).netloc))
    )
    address = re.fullmatch(rf"(?:https?://)?(?:{hosts})/+(.*)", text, re.IGNORECASE)
    if address is None:
        return text.rstrip("/ ")
    words = re.split(r"[?#]", address[1])[0].strip("/ ").split("/")
    if words[2:3] and words[2] in {"tree", "blob", "resolve"} and words[3:4] not in ([], ["main"]):
        raise DemoError(f"Only the main revision of a repository can be named here, not {words[3]!r:.100}.")
    return text if words[0] in {"spaces", "datasets", "collections", "papers"} else "/".join(words[:2])


def _known(repo_id: str, offered: Sequence[CommunityBase]) -> CommunityBase | None:
    """The hub takes an id in any capitals."""
    for base in (*offered, *(base for family in FAMILIES.values() for base in family.bases)):
        if isinstance(base.source, HubRepo) and base.source.id.casefold() == repo_id.casefold():
            return base
    return None


def _base(entry: Mapping[str, Any], where: str, folder: Path) -> CommunityBase:
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise DemoError(f"{where} has {unknown[0]!r}, which means nothing here.")
    for key, value in entry.items():
        if not isinstance(value, str) and key != "scale":
            raise DemoError(f"{where}: {key} must be text in quotes.")
    for key in ("name", "licence"):
        if not entry.get(key):
            raise DemoError(f"{where} needs a {key}.")
    scale = entry.get("scale", 0.75)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 <= scale <= 1.5:
        raise DemoError(f"{where}: scale must be a number from 0 to 1.5.")
    licence = Licence(entry["licence"], entry.get("licence_url", ""))
    return CommunityBase(
        entry["name"], entry.get("title", entry["name"]), _source(entry, where, folder), licence, float(scale)
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
        if not (at := _path(place, where, folder)).is_dir():
            raise DemoError(f"{where}: there is no folder {place}.")
        return Folder(at)
    source = SingleFile(_path(place, where, folder), SDXL_CONFIGS)
    kind = of_file(source)
    if kind is not ModelKind.SDXL:
        raise DemoError(f"{where}: {place} is {kind}, and an SDXL base is needed.")
    return source


def _path(place: str, where: str, folder: Path) -> Path:
    try:
        return folder / Path(place).expanduser()
    except RuntimeError as error:
        raise DemoError(f"{where}: the home that {place} begins with can't be found.") from error
