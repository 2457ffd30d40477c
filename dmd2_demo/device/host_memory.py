"""How much of the machine's memory is this process's to take: a container's limit counts, not the machine behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil


@dataclass(frozen=True)
class HostMemory:
    """In bytes: the most that may be taken, and what is left of it, counting what the system can give back at once."""

    total: int
    available: int


def host_memory(proc: Path = Path("/proc/self")) -> HostMemory:
    """The machine's memory, or what its control groups (version 1 or 2, each level of them) leave of it.

    `proc` is where the system tells of a process.
    """
    machine = psutil.virtual_memory()
    found = [HostMemory(int(machine.total), int(machine.available)), *_of_groups(proc)]
    return HostMemory(min(level.total for level in found), max(0, min(level.available for level in found)))


@dataclass(frozen=True)
class _Version:
    """How a version of control groups names its files. `file_pages` are what it gives back before it kills."""

    limits: tuple[str, ...]
    usage: str
    file_pages: tuple[str, ...]


_FIRST = _Version(("memory.limit_in_bytes",), "memory.usage_in_bytes", ("total_active_file", "total_inactive_file"))
# Past `high` nobody is killed, but everything stands still.
_SECOND = _Version(("memory.max", "memory.high"), "memory.current", ("active_file", "inactive_file"))


def _of_groups(proc: Path) -> Iterator[HostMemory]:
    """What each group that this process is in, and each above it that can be seen, leaves."""
    try:
        mounts = [line.split() for line in _read(proc / "mountinfo")]
        groups = [line.split(":", 2) for line in _read(proc / "cgroup")]
    except OSError:  # not Linux
        return
    for mount in mounts:
        root, place, after = mount[3], mount[4], mount[mount.index("-") + 1 :]
        for number, controllers, path in groups:
            if after[0] == "cgroup2" and number == "0":
                version = _SECOND
            elif after[0] == "cgroup" and "memory" in controllers.split(",") and "memory" in after[-1].split(","):
                version = _FIRST
            else:
                continue
            for folder in _levels(Path(place), root, path):
                yield from _level(folder, version)


def _read(table: Path) -> list[str]:
    """Its lines; names of places in it may be in no encoding."""
    return table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()


def _levels(place: Path, root: str, path: str) -> Iterator[Path]:
    """The folder of the group `path`, and those above it, where the folder `root` of all groups is mounted at `place`.

    A container often sees its own group alone, while `path` may tell where that lies outside.
    """
    group = PurePosixPath(path)
    inside = group.relative_to(root) if group.is_relative_to(root) else PurePosixPath()
    yield from (place / level for level in (inside, *inside.parents) if ".." not in level.parts)


def _level(folder: Path, version: _Version) -> Iterator[HostMemory]:
    """Nothing where the group has no limit."""
    limits = [limit for limit in (_number(folder / name) for name in version.limits) if limit is not None]
    statistics = _statistics(folder / "memory.stat")
    if "hierarchical_memory_limit" in statistics:  # also of groups above that a container can't see
        limits.append(statistics["hierarchical_memory_limit"])
    if limits:
        used = (_number(folder / version.usage) or 0) - sum(statistics.get(name, 0) for name in version.file_pages)
        yield HostMemory(min(limits), min(limits) - max(0, used))


def _number(path: Path) -> int | None:
    """None for "max", which is none, and for what is not there."""
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _statistics(path: Path) -> dict[str, int]:
    try:
        pairs = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        return {name: int(value) for name, value in pairs}
    except (OSError, ValueError):
        return {}
