"""A picture's settings make it again in a process that knows nothing else: each task, both families' shapes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gradio_client import handle_file

from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.sources import HubRepo
from tests.local_hub import LocalHub
from tests.served import ROOT, served
from tests.visitor import Answer, Visitor

EMBEDDED = ROOT / "dmd2_demo" / "embedded"
PROMPT = "a lion on a green background"
TEXT = [("/text_to_image", {"steps": steps, "prompt": PROMPT}) for steps in (1, 4)]
CANNY = ("/canny", {"low_threshold": 60, "high_threshold": 150, "conditioning_scale": 0.9, "guided_steps": 3})
NEVER_ASKED = {
    "version",
    "task",
    "family",
    "timesteps",
    "model",
    "lora",
    "weights",
    "images",
    "seconds",
    "notices",
    "image_sha256",
}

Asked = list[tuple[str, dict[str, Any]]]


@contextmanager
def page(folder: Path, family: str, environment: Mapping[str, str]) -> Iterator[Visitor]:
    """A page in a process of its own."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "app.py", "--family", family]
    process, address = served(command, os.environ | environment, folder / "log")
    try:
        yield Visitor(address, folder)
    finally:
        process.terminate()
        process.wait(30)


def make(visitor: Visitor, asked: Asked) -> list[Answer]:
    """A picture of each that is asked."""
    return [visitor.ask(endpoint, seed=91 + number, **values) for number, (endpoint, values) in enumerate(asked)]


def check(visitor: Visitor, asked: Asked, made: list[Answer]) -> None:
    """Makes all that was asked again, from what is inside the files alone."""
    for (endpoint, values), first in zip(asked, made, strict=True):
        found = visitor.client.predict(image=handle_file(first.paths[0]), api_name="/inspect")
        assert found["notices"] == []
        settings = {name: value for name, value in found["settings"].items() if name not in NEVER_ASKED}
        assert settings.items() >= values.items()
        if endpoint == "/canny":
            # Its size follows from the picture that it is given.
            settings = {name: value for name, value in settings.items() if name not in {"width", "height", "steps"}}
        if endpoint == "/lora":
            del settings["steps"]
        assert visitor.ask(endpoint, **settings).pixels == first.pixels, endpoint


def test_of_the_embedded_family(address: str, tmp_path: Path) -> None:
    loras: Asked = [
        ("/lora", {"base": base.name, "lora_scale": 0.65, "width": 160, "height": 96})
        for base in FAMILIES["embedded"].bases
    ]
    asked: Asked = [*TEXT, *loras, CANNY]
    made = make(Visitor(address, tmp_path), asked)
    with page(tmp_path / "other", "embedded", {}) as other:
        check(other, asked, made)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    """The embedded weights under the published names."""
    bases = [base.source.id for base in FAMILIES["sdxl"].bases if isinstance(base.source, HubRepo)]
    with LocalHub(
        dict.fromkeys(bases, EMBEDDED / "base")
        | {
            "tianweiy/DMD2": EMBEDDED / "dmd2",
            "madebyollin/sdxl-vae-fp16-fix": EMBEDDED / "base" / "vae",
            "TencentARC/t2i-adapter-canny-sdxl-1.0": EMBEDDED / "t2i-adapter-canny",
        }
    ) as hub:
        yield hub


def test_of_the_published_family(hub: LocalHub, tmp_path: Path) -> None:
    size: dict[str, Any] = {"width": 512, "height": 576}
    asked: Asked = [
        *((endpoint, values | size) for endpoint, values in TEXT),
        ("/lora", {"base": "realvis", "lora_scale": 0.65} | size),
        CANNY,
    ]
    environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": ""}
    with page(tmp_path / "first", "sdxl", environment) as visitor:
        made = make(visitor, asked)
    with page(tmp_path / "second", "sdxl", environment) as visitor:
        check(visitor, asked, made)
