"""What was made of a picture, for as long as anybody has that picture: a request is copied for each of its own."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from PIL import Image

Made = TypeVar("Made")

_made: dict[int, dict[Hashable, Any]] = {}  # by the picture's id, which is another's only once it is gone


def made_of(image: Image.Image, what: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` gives, made once of `image`, which nobody changes. Safe to call from many threads."""
    kept = _made.get(id(image))
    if kept is None:
        kept = _made.setdefault(id(image), {})
        weakref.finalize(image, _made.pop, id(image), None)
    if what not in kept:
        kept[what] = make()
    found: Made = kept[what]
    return found
