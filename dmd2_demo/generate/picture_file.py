"""Picture files of strangers, opened with care: in few formats, within bounds, and with sentences for what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.ExifTags import IFD

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.apart import TOO_MUCH
from dmd2_demo.models.content import require_itself

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "HEIF")
"""What pictures come in; no EPS, PDF, FITS ..., whatever Pillow may read."""

MOST_PIXELS = 100_000_000

_DAMAGED = "The picture is damaged or cut off."


@contextmanager
def opened(path: str | Path) -> Iterator[ImageFile.ImageFile]:
    """The picture in a file, whose pixels are not read yet.

    DemoError where it is none, is too large, or where what the block does with it fails.
    """
    _read_heic_too()
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures, whose limit is ours, and of odd EXIF data, which is harmless.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                require_size(image, MOST_PIXELS)
                yield image
    except DemoError:
        raise
    except FileNotFoundError:
        raise DemoError("The picture is no longer there. Please choose it again.") from None
    except Image.DecompressionBombError:
        raise DemoError("The picture is too large.") from None
    except UnidentifiedImageError:
        require_itself(Path(path))
        raise DemoError("That file is not a picture that can be read.") from None
    except MemoryError:
        raise DemoError(TOO_MUCH) from None
    except ValueError as error:
        # As Pillow names its bounds of a PNG's text, in what it raises and nowhere else.
        too_long = "MAX_TEXT" in str(error)
        raise DemoError("There is too much text in that picture's file." if too_long else _DAMAGED) from None
    except Exception:  # noqa: BLE001 - Pillow raises what it likes for what strangers wrote
        raise DemoError(_DAMAGED) from None


def exif_of(image: Image.Image) -> dict[int, Any]:
    """What its EXIF tells, by tag; nothing where that is damaged, which says nothing about the pixels.

    MemoryError where it asks for too much.
    """
    try:
        exif = image.getexif()
        return {**exif, **exif.get_ifd(IFD.Exif)}
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - Pillow raises what it likes for what strangers wrote
        return {}


def require_size(image: Image.Image, most: int) -> None:
    """Raises DemoError where the picture has more than `most` pixels."""
    if image.width * image.height > most:
        raise DemoError(f"The picture is too large: {image.width} x {image.height} pixels.")


@cache
def _read_heic_too() -> None:
    """Teaches Pillow what phones write. On first use: importing it takes a while."""
    from pillow_heif import register_heif_opener  # noqa: PLC0415

    register_heif_opener()
