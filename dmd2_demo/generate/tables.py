"""An operator's TOML file of tables: bases, style LoRAs."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.styled import LARGEST_LORA_SCALE
from dmd2_demo.models.content import read_text, require_itself


def read_tables(path: Path, key: str, noun: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Each `[[key]]` table of the file, with words that say where it stands. DemoError where it can't be read.

    `noun` is what a table holds one of, such as "base".
    """
    require_itself(path)
    try:
        read = tomllib.loads(read_text(path))
    except OSError as error:
        raise DemoError(f"The file of {noun}s, {path.name}, can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DemoError(f"The file of {noun}s, {path.name}, is not in UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise DemoError(f"The file of {noun}s, {path.name}, is no valid TOML: {error}.") from error
    entries = read.pop(key, [])
    tables = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    if read or not entries or not tables:
        raise DemoError(f"{path.name} must hold {noun}s as [[{key}]] tables and nothing else.")
    return tuple((f"{noun[0].upper() + noun[1:]} {i} of {path.name}", entry) for i, entry in enumerate(entries, 1))


def require_own_names(names: Sequence[str], nouns: str) -> None:
    """Raises DemoError where two have one name; `nouns` is what they are, such as "bases"."""
    for name in names:
        if names.count(name) > 1:
            raise DemoError(f"Two {nouns} are called {name!r}.")


def require_keys(
    entry: Mapping[str, Any], where: str, known: Collection[str], needed: Collection[str], other: Collection[str]
) -> None:
    """Raises DemoError where a table has a key that means nothing, lacks one, or holds no text where it must.

    `other` are the keys whose value is no text.
    """
    unknown = sorted(set(entry) - set(known))
    if unknown:
        raise DemoError(f"{where} has {unknown[0]!r}, which means nothing here.")
    for key, value in entry.items():
        if not isinstance(value, str) and key not in other:
            raise DemoError(f"{where}: {key} must be text in quotes.")
    for key in needed:
        if not entry.get(key):
            raise DemoError(f"{where} needs a {key}.")


def scale_of(entry: Mapping[str, Any], where: str, default: float) -> float:
    """The scale that a table suggests."""
    scale = entry.get("scale", default)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 <= scale <= LARGEST_LORA_SCALE:
        raise DemoError(f"{where}: scale must be a number from 0 to {LARGEST_LORA_SCALE}.")
    return float(scale)


def path_of(place: str, where: str, folder: Path) -> Path:
    """A path in a table, which is relative to the file's folder and may begin with ~."""
    try:
        path = folder / Path(place).expanduser()
        path.exists()
    except RuntimeError as error:
        raise DemoError(f"{where}: the home that {place} begins with can't be found.") from error
    except OSError as error:
        raise DemoError(f"{where}: {place:.100} can't be used: {error.strerror}.") from error
    return path
