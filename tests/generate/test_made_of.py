from __future__ import annotations

from PIL import Image

from dmd2_demo.generate import made_of as module
from dmd2_demo.generate.made_of import made_of


def test_it_is_made_once_of_each_picture_and_goes_with_it() -> None:
    one, other = Image.new("RGB", (2, 2)), Image.new("RGB", (2, 2))
    asked: list[str] = []

    def make(name: str) -> str:
        asked.append(name)
        return name

    for _ in range(3):
        assert made_of(one, "name", lambda: make("one")) == "one"
        assert made_of(other, "name", lambda: make("other")) == "other"
        assert made_of(one, (1, 2), lambda: make("size")) == "size"
    assert asked == ["one", "other", "size"]
    before = len(module._made)
    del one
    assert len(module._made) == before - 1
    assert made_of(other, "name", lambda: make("again")) == "other"
