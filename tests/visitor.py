"""A program that asks the page for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file
from PIL import Image, ImageDraw

from tests.raw_visitor import PATIENCE


@dataclass(frozen=True)
class Answer:
    """What a generating endpoint gives."""

    paths: list[Path]
    seed: int
    settings: dict[str, Any]

    @property
    def pictures(self) -> list[Image.Image]:
        """The files, read."""
        pictures: list[Image.Image] = []
        for path in self.paths:
            with Image.open(path) as image:
                image.load()
                pictures.append(image)
        return pictures

    @property
    def pixels(self) -> list[bytes]:
        """Of each picture."""
        return [picture.tobytes() for picture in self.pictures]


def connect(address: str, **more: Any) -> Client:
    """Gradio's own, of a patience that a busy machine needs: by default it is five seconds."""
    return Client(address, verbose=False, analytics_enabled=False, httpx_kwargs={"timeout": PATIENCE}, **more)


class Visitor:
    """One session at the page. What it gets is put into `folder`."""

    def __init__(self, address: str, folder: Path) -> None:
        self.client = connect(address, download_files=folder)
        self.drawing = folder / "drawing.png"
        image = Image.new("RGB", (320, 240), (40, 60, 80))
        ImageDraw.Draw(image).circle((160, 120), 75, (230, 210, 60))
        image.save(self.drawing)

    def ask(self, endpoint: str, **values: Any) -> Answer:
        """The answer to a request with a prompt, a picture where one is needed, and a seed of its own choice."""
        asked: dict[str, Any] = {"prompt": "a fox on a blue background", "seed": 0}
        if endpoint in {"/canny", "/image_to_image"}:
            asked["image"] = handle_file(self.drawing)
        gallery, seed, settings = self.client.predict(**(asked | values), api_name=endpoint)
        return Answer([Path(entry["image"]) for entry in gallery], seed, settings)
