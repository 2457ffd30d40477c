"""Several visitors at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.embedded import FAMILY
from tests.visitor import Visitor


def wish(number: int) -> tuple[str, dict[str, Any]]:
    """What visitor number `number` asks: kinds, bases, steps and sizes change from one to the next."""
    width, height = FAMILY.sizes.buckets[number % 3]
    base = FAMILY.bases[number % len(FAMILY.bases)].name
    wishes: list[tuple[str, dict[str, Any]]] = [
        ("/text_to_image", {"steps": 4, "width": width, "height": height}),
        ("/lora", {"base": base, "lora_scale": 0.1 * number}),
        ("/canny", {"conditioning_scale": 0.1 * number}),
        ("/text_to_image", {"steps": 1, "images": 2}),
    ]
    endpoint, values = wishes[number % len(wishes)]
    return endpoint, {**values, "seed": number}


def test_sixteen_visitors_at_once_each_get_the_picture_they_would_get_alone(address: str, tmp_path: Path) -> None:
    def visitor(number: int) -> Visitor:
        folder = tmp_path / str(number)
        folder.mkdir()
        return Visitor(address, folder)

    def ask(number: int) -> list[bytes]:
        endpoint, values = wish(number)
        return visitors[number].ask(endpoint, **values).pixels

    with ThreadPoolExecutor(16) as pool:
        visitors = list(pool.map(visitor, range(16)))
        together = list(pool.map(ask, range(16)))
    alone = [ask(number) for number in reversed(range(16))]
    assert together == list(reversed(alone))
    assert len({pixels[0] for pixels in together}) == 16
