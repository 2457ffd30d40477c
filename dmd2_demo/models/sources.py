"""Where weights lie: a repository on the hub, a folder or a single file on this disk. Compared by value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class HubRepo:
    """A model repository, `owner/name`, at a revision (branch, tag or commit).

    An anonymous one is asked for without the operator's token: a visitor named it, and reads what anyone may.
    """

    id: str
    revision: str = "main"
    anonymous: bool = False

    def __str__(self) -> str:
        return self.id

    @property
    def stem(self) -> str:
        """Its name without its owner."""
        return self.id.rpartition("/")[2]


@dataclass(frozen=True)
class Folder:
    """A folder laid out as a repository is."""

    path: Path

    def __str__(self) -> str:
        return self.path.name

    @property
    def stem(self) -> str:
        return self.path.name


@dataclass(frozen=True)
class SingleFile:
    """A whole pipeline in one `.safetensors` file, with the keys of SDXL's original release.

    It holds no configs: they are read from `config`, a diffusers folder without weights.
    """

    path: Path
    config: Folder

    def __str__(self) -> str:
        return self.path.name

    @property
    def stem(self) -> str:
        return self.path.stem


Source = HubRepo | Folder
PipelineSource = HubRepo | Folder | SingleFile


@dataclass(frozen=True)
class File:
    """One file of a source. `name` is its path there, with forward slashes."""

    source: Source
    name: str

    def __str__(self) -> str:
        return f"{self.source}/{self.name}"

    @property
    def stem(self) -> str:
        """Its name without folder and ending, as the field's tools name models."""
        return PurePosixPath(self.name).stem
