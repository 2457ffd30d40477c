"""How much memory visitors' pictures take while their requests wait: a small file may be a large picture."""

from __future__ import annotations

import gc
import weakref
from threading import RLock

from PIL import Image

from dmd2_demo.errors import DemoError

_MOST = 1_500_000_000
_PIXEL = 4  # bytes, of which RGB leaves one unused


class HeldPictures:
    """Counts the bytes of pictures for as long as anybody has them. Safe to call from many threads."""

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._held = most, 0
        self._lock = RLock()  # a picture may go at any moment, in whichever thread

    def held(self, image: Image.Image) -> Image.Image:
        """`image`, which is counted from now on. DemoError where all together would be too large."""
        size = _PIXEL * image.width * image.height
        with self._lock:
            if self._held + size > self._most:
                gc.collect()  # some may hang on an error that is told already
            if self._held + size > self._most:
                raise DemoError("Many large pictures are waiting at the moment. Please try again in a minute.")
            self._held += size
        weakref.finalize(image, self._release, size)
        return image

    def _release(self, size: int) -> None:
        with self._lock:
            self._held -= size
