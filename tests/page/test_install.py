"""What a phone needs to put the page among its apps."""

from __future__ import annotations

import io

import httpx2
from PIL import Image


def test_the_page_has_a_manifest_with_icons_of_its_own(address: str) -> None:
    manifest = httpx2.get(f"{address}manifest.json").json()
    assert manifest["name"] == "DMD2"
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        image = Image.open(io.BytesIO(httpx2.get(address + icon["src"]).content))
        assert f"{image.width}x{image.height}" == icon["sizes"]


def test_the_favicon_is_ours(address: str) -> None:
    assert Image.open(io.BytesIO(httpx2.get(f"{address}favicon.ico").content)).size == (512, 512)
