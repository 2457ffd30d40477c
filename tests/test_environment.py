"""scripts/environment, run for real in a folder of its own against a small index."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.local_index import LocalIndex, Package

SCRIPT = Path(__file__).parents[1] / "scripts" / "environment"
RUN, TEST, CPU = "requirements.txt", "requirements-dev.txt", "requirements-cpu.txt"
NOWHERE = "http://127.0.0.1:9/simple"


@dataclass(frozen=True)
class Project:
    """A folder with the script, requirement files and an index to fill its environment from."""

    folder: Path
    index: LocalIndex

    def require(self, **files: str) -> None:
        names = {"run": RUN, "test": TEST, "cpu": CPU}
        for key, content in files.items():
            (self.folder / names[key]).write_text(content)

    def start(self, *files: str, **variables: str) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_", "PYTHON"))}
        path = os.pathsep.join([str(Path(find_uv_bin()).parent), clean["PATH"]])
        cache = str(self.folder / "cache")
        uses = {"PATH": path, "UV_DEFAULT_INDEX": self.index.url, "UV_CACHE_DIR": cache, "NO_PROXY": "127.0.0.1"}
        return subprocess.Popen(
            [self.folder / "scripts" / "environment", *files],
            env=clean | uses | {"PYTHON": sys.executable} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that it can be killed with all that it started
        )

    def make(self, *files: str, fails: bool = False, **variables: str) -> str:
        """What the script said."""
        with self.start(*files, **variables) as script:
            said, _ = script.communicate(timeout=120)
        assert bool(script.returncode) == fails, said
        return said

    def installed(self) -> dict[str, str]:
        """The version of each package that can be imported, by name; not what every environment begins with."""
        names = list(self.index.packages)
        program = f"""
from importlib import import_module, util
for name in {names}:
    if util.find_spec(name):
        print(name, import_module(name).version)
"""
        told = subprocess.run([self.python, "-c", program], check=True, capture_output=True, text=True).stdout
        return dict(line.split() for line in told.splitlines())

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"


def on_cpu(index: str) -> str:
    """The requirement file for CPUs, whose wheels are at `index`."""
    return f"--extra-index-url {index}\n--constraint {RUN}\ntorch\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    packages: Mapping[str, list[Package]] = {
        "torch": [Package(requires=["brush"]), Package("2.0")],
        "brush": [Package()],
        "frame": [Package()],
        "ruler": [Package(requires=["brush"])],
    }
    with LocalIndex(packages) as index:
        project = Project(tmp_path, index)
        project.require(run="torch==1.0\n", test="ruler==1.0\n", cpu=on_cpu(NOWHERE))
        yield project


def test_only_what_is_missing_is_added_and_what_is_needed_no_more_goes(project: Project) -> None:
    project.make(RUN)
    assert project.installed() == {"torch": "1.0", "brush": "1.0"}
    project.make(RUN, TEST)
    assert project.installed() == {"torch": "1.0", "brush": "1.0", "ruler": "1.0"}
    assert project.index.fetched == ["brush", "ruler", "torch"]

    project.make(RUN)  # the tools for testing stay
    assert "ruler" in project.installed()

    project.require(run="torch==2.0\nframe==1.0\n", test="")
    project.make(RUN)
    assert project.installed() == {"torch": "2.0", "frame": "1.0"}


def test_where_nothing_changed_nothing_is_done(project: Project) -> None:
    project.make(RUN, TEST)
    project.index.asked.clear()
    made = (project.folder / ".venv" / "made-from").stat().st_mtime_ns

    assert project.make(RUN) == project.make(RUN, TEST) == project.make(TEST, PYTHON="") == ""
    assert not project.index.asked
    assert (project.folder / ".venv" / "made-from").stat().st_mtime_ns == made


def test_what_was_cut_short_is_finished_by_the_next_call(project: Project) -> None:
    project.index.packages = {**project.index.packages, "frame": [Package(stuck=True)]}
    project.make(RUN)
    project.require(test="ruler==1.0\nframe==1.0\n")
    with project.start(RUN, TEST) as script:
        assert project.index.stuck.wait(60)
        os.killpg(script.pid, signal.SIGKILL)
    (project.python.parents[1] / "lib").rename(project.folder / "lost")  # what was being written when it was killed

    project.index.packages = {**project.index.packages, "frame": [Package()]}
    project.make(RUN, TEST)
    assert project.installed() == {"torch": "1.0", "brush": "1.0", "ruler": "1.0", "frame": "1.0"}
    assert project.index.fetched.count("torch") == 1


def test_a_pin_that_is_nowhere_leaves_the_environment_as_it_was(project: Project) -> None:
    project.make(RUN)
    project.require(run="torch==3.0\n")
    assert "torch==3.0" in project.make(RUN, fails=True)
    project.require(run="torch==1.0\n")
    assert project.make(RUN) == ""
    assert project.installed() == {"torch": "1.0", "brush": "1.0"}


def test_another_python_makes_it_anew(project: Project) -> None:
    project.make(RUN)
    other = "3.12" if sys.version_info < (3, 12) else "3.11"
    path = shutil.which(f"python{other}")
    if (
        path is None
        or subprocess.run([path, "-c", ""], check=False, env=os.environ | {"PYENV_VERSION": other}).returncode
    ):
        pytest.skip(f"no Python {other} on this machine")

    assert f"Python {other}" in project.make(RUN, PYTHON=path, PYENV_VERSION=other)
    assert project.installed() == {"torch": "1.0", "brush": "1.0"}
    told = subprocess.run([project.python, "--version"], check=True, capture_output=True, text=True).stdout
    assert f"Python {other}" in told


without_driver = pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="has an NVIDIA driver")


@pytest.fixture
def wheels_for_cpus() -> Iterator[LocalIndex]:
    """As PyTorch's own index: the wheel for CPUs, and an old release of what it requires."""
    packages = {"torch": [Package("1.0+cpu", requires=["brush>=1"])], "brush": [Package("0.1")]}
    with LocalIndex(packages) as index:
        yield index


def put_driver(project: Project) -> str:
    """A PATH on which there is NVIDIA's tool."""
    tool = project.folder / "driver" / "nvidia-smi"
    tool.parent.mkdir()
    tool.touch(mode=0o755)
    return os.pathsep.join([str(tool.parent), str(Path(find_uv_bin()).parent), os.environ["PATH"]])


@without_driver
def test_without_a_driver_the_wheels_for_cpus_are_taken_and_kept(project: Project, wheels_for_cpus: LocalIndex) -> None:
    project.require(run="torch==1.0\nframe==1.0\n", cpu=on_cpu(wheels_for_cpus.url))
    project.make(RUN)
    assert project.installed() == {"torch": "1.0+cpu", "brush": "1.0"}

    wheels_for_cpus.asked.clear()
    assert project.make(RUN) == ""
    assert not wheels_for_cpus.asked
    project.make(RUN, TEST)
    assert project.installed() == {"torch": "1.0+cpu", "brush": "1.0", "ruler": "1.0"}

    project.make(RUN, PATH=put_driver(project))  # a GPU came
    assert project.installed() == {"torch": "1.0", "brush": "1.0", "frame": "1.0", "ruler": "1.0"}


def test_with_a_driver_nobody_asks_for_wheels_for_cpus(project: Project, wheels_for_cpus: LocalIndex) -> None:
    project.require(cpu=on_cpu(wheels_for_cpus.url))
    project.make(RUN, PATH=put_driver(project))
    assert project.installed() == {"torch": "1.0", "brush": "1.0"}
    assert not wheels_for_cpus.asked


@without_driver
def test_an_index_that_does_not_answer_is_done_without(project: Project, wheels_for_cpus: LocalIndex) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        project.require(cpu=on_cpu(f"http://127.0.0.1:{silent.getsockname()[1]}/simple"))
        began = time.monotonic()
        project.make(RUN)
        assert time.monotonic() - began < 30
    assert project.installed() == {"torch": "1.0", "brush": "1.0"}

    project.require(cpu=on_cpu(wheels_for_cpus.url))  # back later: what is there does, and 8 GB are not fetched twice
    project.make(RUN)
    assert project.installed() == {"torch": "1.0", "brush": "1.0"}


def test_cpus_have_the_same_requirements_without_xformers() -> None:
    def names(file: str) -> set[str]:
        lines = (SCRIPT.parents[1] / file).read_text().splitlines()
        return {re.split(r"[=;]", line)[0] for line in lines if re.match(r"\w", line)}

    assert names(CPU) == names(RUN) - {"xformers"}


@pytest.mark.parametrize(
    ("files", "variables", "told"),
    [
        ([], {}, "Usage"),
        (["nothing.txt"], {}, "There is no nothing.txt."),
        ([RUN], {"PYTHON": "/nowhere/python"}, "Python 3.11 or newer is needed, and /nowhere/python is not."),
    ],
)
def test_a_wrong_call_gets_one_sentence(
    project: Project, files: list[str], variables: dict[str, str], told: str
) -> None:
    said = project.make(*files, fails=True, **variables)
    assert told in said
    assert len(said.splitlines()) == 1
