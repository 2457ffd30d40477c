from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from dmd2_demo.device.host_memory import HostMemory, host_memory

GB = 10**9
Files = dict[str, str]


def v2(limit: int | str, used: int, **more: int | str) -> Files:
    return {"memory.max": f"{limit}\n", "memory.current": f"{used}\n"} | {
        f"memory.{name}": f"{value}\n" for name, value in more.items()
    }


def v1(limit: int, used: int, stat: str = "") -> Files:
    return {"memory.limit_in_bytes": f"{limit}\n", "memory.usage_in_bytes": f"{used}\n", "memory.stat": stat}


@dataclass(frozen=True)
class System:
    """What a Linux tells of a process and its groups, in a folder."""

    root: Path

    def told(self, *, cgroup: str, root: str, groups: dict[str, Files], version: int) -> HostMemory:
        """`groups` are the files of each group, by its folder below the place where `root` is mounted."""
        place = self.root / "sys" / "fs" / "cgroup"
        for group, files in groups.items():
            (place / group).mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (place / group / name).write_text(text)
        kind = "cgroup2 cgroup2 rw" if version == 2 else "cgroup cgroup rw,memory"
        proc = self.root / "proc"
        proc.mkdir()
        (proc / "cgroup").write_text(cgroup)
        (proc / "mountinfo").write_text(
            f"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n30 22 0:26 {root} {place} rw - {kind}\n"
        )
        return host_memory(proc)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_container_of_version_2(system: System) -> None:
    told = system.told(cgroup="0::/\n", root="/", groups={"": v2(GB, GB // 4)}, version=2)
    assert told == HostMemory(GB, GB - GB // 4)


def test_container_of_version_1_sees_its_group_alone_and_knows_where_it_lies_outside(system: System) -> None:
    cgroup = "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n"
    told = system.told(cgroup=cgroup, root="/docker/abc", groups={"": v1(GB, GB // 4)}, version=1)
    assert told == HostMemory(GB, GB - GB // 4)


@pytest.mark.parametrize("tightest", ["pod", "pod/container"])
def test_tightest_of_nested_groups_counts(system: System, tightest: str) -> None:
    groups = {"pod": v2("max", 9), "pod/container": v2("max", 9)} | {tightest: v2(GB, 9)}
    told = system.told(cgroup="0::/pod/container\n", root="/", groups=groups, version=2)
    assert told == HostMemory(GB, GB - 9)


def test_group_above_that_can_not_be_seen_counts_too(system: System) -> None:
    stat = f"cache 0\nhierarchical_memory_limit {GB}\n"
    told = system.told(cgroup="4:memory:/a\n", root="/", groups={"a": v1(2**63 - 4096, 5, stat)}, version=1)
    assert told == HostMemory(GB, GB - 5)


def test_high_is_a_limit_as_well(system: System) -> None:
    told = system.told(cgroup="0::/\n", root="/", groups={"": v2("max", 5, high=GB)}, version=2)
    assert told == HostMemory(GB, GB - 5)


@pytest.mark.parametrize("version", [1, 2])
def test_pages_of_files_are_given_back_and_do_not_count_as_used(system: System, version: int) -> None:
    stat = "anon 10\n{0}active_file 300\n{0}inactive_file 400\n".format("total_" if version == 1 else "")
    files = v1(GB, 1000, stat) if version == 1 else v2(GB, 1000) | {"memory.stat": stat}
    cgroup = "4:memory:/\n" if version == 1 else "0::/\n"
    told = system.told(cgroup=cgroup, root="/", groups={"": files}, version=version)
    assert told.available == GB - 300


@pytest.mark.parametrize("files", [v2("max", 5, high="max"), {}, {"memory.max": "lots"}])
def test_group_without_a_limit_leaves_the_machine(system: System, files: Files) -> None:
    told = system.told(cgroup="0::/\n", root="/", groups={"": files}, version=2)
    assert told.total == psutil.virtual_memory().total
    assert 0 < told.available <= told.total


def test_system_without_groups_has_the_machines_memory(tmp_path: Path) -> None:
    assert host_memory(tmp_path).total == psutil.virtual_memory().total


def test_group_that_is_full_leaves_nothing(system: System) -> None:
    assert system.told(cgroup="0::/\n", root="/", groups={"": v2(GB, 2 * GB)}, version=2).available == 0


def test_places_may_be_named_in_no_encoding(system: System) -> None:
    told = system.told(cgroup="0::/\n", root="/", groups={"": v2(GB, 0)}, version=2)
    mounts = system.root / "proc" / "mountinfo"
    mounts.write_bytes(b"40 22 8:1 / /media/B\xfcro rw - vfat /dev/sda1 rw\n" + mounts.read_bytes())
    assert host_memory(system.root / "proc") == told == HostMemory(GB, GB)
