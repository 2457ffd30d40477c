"""scripts/space: what it would upload and how, without a hub."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def space(*arguments: str, status: int = 0) -> str:
    """What it says."""
    run = subprocess.run(
        [sys.executable, ROOT / "scripts" / "space", *arguments], check=False, capture_output=True, text=True
    )
    assert run.returncode == status, run.stderr
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def planned() -> dict[str, list[list[str]]]:
    """The commands by hardware."""
    said = {name: space("--hardware", name, "--dry-run", "somebody/dmd2") for name in ("cpu", "gpu", "zero")}
    return {name: [shlex.split(line) for line in lines.splitlines()] for name, lines in said.items()}


def staged(commands: list[list[str]]) -> Path:
    return Path(commands[2][3])


def test_each_hardware_gets_its_flavor_and_its_front_matter(planned: dict[str, list[list[str]]]) -> None:
    for name, flavor in {"cpu": "cpu-basic", "gpu": "l4x1", "zero": "zero-a10g"}.items():
        make, settle, upload = planned[name]
        assert make[make.index("--flavor") + 1] == settle[settle.index("--hardware") + 1] == flavor
        assert upload[:3] == ["hf", "upload", "somebody/dmd2"]
        assert upload[-2:] == ["--delete", "*"]  # what was renamed or removed since the last time
        readme = (staged(planned[name]) / "README.md").read_text()
        front_matter = readme.split("---")[1]
        assert f"\nsuggested_hardware: {flavor}\n" in front_matter
        assert "\nthumbnail: https://huggingface.co/spaces/somebody/dmd2/resolve/main/docs/card.png\n" in front_matter
        assert (staged(planned[name]) / "docs" / "card.png").exists()


def test_a_space_has_what_it_needs_and_no_more(planned: dict[str, list[list[str]]]) -> None:
    folder = staged(planned["zero"])
    assert {path.name for path in folder.iterdir()} == {
        *("app.py", "dmd2_demo", "docs", "bench", "requirements.txt"),
        *("README.md", "LICENSE", "SECURITY.md", "CONTRIBUTING.md"),
    }
    assert [path.name for path in (folder / "bench").iterdir()] == ["RESULTS.md"]
    assert (folder / "requirements.txt").read_text() == (ROOT / "requirements.txt").read_text()
    assert list((folder / "dmd2_demo" / "embedded").rglob("*.safetensors"))


def test_what_its_readme_links_to_is_there(planned: dict[str, list[list[str]]]) -> None:
    folder = staged(planned["zero"])
    links = re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", (folder / "README.md").read_text())
    places = {one or other for one, other in links}
    assert "SECURITY.md" in places
    assert [place for place in places if not (folder / place).exists()] == []


def test_a_cpu_gets_one_flat_file_of_pins(planned: dict[str, list[list[str]]]) -> None:
    lines = (staged(planned["cpu"]) / "requirements.txt").read_text().splitlines()
    pins = (ROOT / "requirements.txt").read_text().splitlines()
    assert lines[0].startswith("--extra-index-url https://")
    assert set(lines[1:]) == {pin for pin in pins if not pin.startswith("xformers")}


def test_the_client_knows_each_command(planned: dict[str, list[list[str]]]) -> None:
    for command in planned["zero"]:
        words = command[1:2] if command[1] == "upload" else command[1:3]
        client = Path(sys.executable).parent / "hf"
        known = subprocess.run([client, *words, "--help"], check=True, capture_output=True, text=True).stdout
        for option in command:
            assert not option.startswith("--") or re.search(rf"{option}\b", known), option
        for option in {"--flavor", "--hardware"} & set(command):
            assert command[command.index(option) + 1] in known


@pytest.mark.parametrize("arguments", [["--hardware", "zero", "dmd2"], ["--hardware", "tpu", "a/b"], ["a/b"]])
def test_a_wrong_call_is_told(arguments: list[str]) -> None:
    assert "usage:" in space(*arguments, status=2)
