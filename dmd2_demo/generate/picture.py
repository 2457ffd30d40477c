"""A finished picture with everything it takes to make it again."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from dmd2_demo.generate.metadata.formats import PNG, FileFormat

_INCOMPLETE = ".incomplete"


@dataclass(frozen=True)
class Decoded:
    """RGB pixels as a pipeline gives them, and sentences about what was mended on the way."""

    image: Image.Image
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """RGB pixels, the parameters they were made with, and sentences the visitor should read.

    `edges` is the map that guided it; `seconds` is the time from the pipeline's start to pixels.
    """

    image: Image.Image
    parameters: dict[str, Any]
    seconds: float
    notices: tuple[str, ...] = field(default=())
    edges: Image.Image | None = None

    def encoded(self, file_format: FileFormat, *, settings_inside: bool) -> bytes:
        """A file of that format, with the parameters inside or without. DemoError where it can't hold them."""
        options = file_format.with_settings(self.parameters) if settings_inside else dict(file_format.options)
        file = BytesIO()
        self.image.save(file, file_format.pillow, **options)
        return file.getvalue()

    def save(self, folder: Path, file_format: FileFormat = PNG, *, settings_inside: bool = True) -> Path:
        """Writes a file named by its seed, with the parameters inside unless told otherwise, and gives its path.

        It has that name once it is whole. DemoError where the format can't hold them.
        """
        data = self.encoded(file_format, settings_inside=settings_inside)
        handle, name = tempfile.mkstemp(
            dir=folder, prefix=f"{self.parameters['seed']}-", suffix=f"{file_format.suffix}{_INCOMPLETE}"
        )
        try:
            with os.fdopen(handle, "wb") as file:  # a full disk may show as late as it is closed
                file.write(data)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name).rename(name.removesuffix(_INCOMPLETE))
