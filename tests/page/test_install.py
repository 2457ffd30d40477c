"""What a phone needs to put the page among its apps."""

from __future__ import annotations

import io
import json
from urllib.request import urlopen

from PIL import Image


def test_the_page_has_a_manifest_with_icons_of_its_own(address: str) -> None:
    with urlopen(f"{address}manifest.json") as answer:
        manifest = json.load(answer)
    assert manifest["name"] == "DMD2"
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        with urlopen(address.rstrip("/") + icon["src"]) as answer:
            image = Image.open(io.BytesIO(answer.read()))
        assert f"{image.width}x{image.height}" == icon["sizes"]


def test_the_favicon_is_ours(address: str) -> None:
    with urlopen(f"{address}favicon.ico") as answer:
        assert Image.open(io.BytesIO(answer.read())).size == (512, 512)
