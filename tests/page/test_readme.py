"""What the README shows of the API runs as it stands, and it shows every endpoint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.visitor import Visitor

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def lines() -> str:
    """The program in the section about the API."""
    found = re.search(r"## API\n.*?```python\n(.*?)```", README, re.DOTALL)
    assert found
    return found[1]


def test_every_line_about_the_api_runs(
    address: str, tmp_path: Path, lines: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    visitor = Visitor(address, tmp_path)
    Path(visitor.drawing).rename("edges.png")
    visitor.ask("/text_to_image", steps=1).paths[0].rename("picture.png")
    assert '"http://127.0.0.1:7860"' in lines
    found: dict[str, object] = {}
    exec(lines.replace("http://127.0.0.1:7860", address), found)  # noqa: S102 - our own words
    assert isinstance(found["settings"], dict)
    for shown in (found["gallery"][0], found["cells"][3]):  # type: ignore[index]
        with Image.open(shown["image"]) as image:
            assert image.info["dmd2"]


def test_every_endpoint_has_a_line(address: str, tmp_path: Path, lines: str) -> None:
    described = Visitor(address, tmp_path).client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    assert {f'api_name="{name}"' in lines for name in described} == {True}
