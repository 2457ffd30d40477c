"""The kinds of file a picture can be saved as, each with its settings inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.infotext import infotext
from dmd2_demo.generate.metadata import xmp

_LONGEST_IN_JPEG = 65_000
"""Bytes of one JPEG segment, less its head."""


@dataclass(frozen=True)
class FileFormat:
    """`name` is the API's, `pillow` Pillow's; `options` are how Pillow saves it.

    `longest` is the most pixels that a side may have.
    """

    name: str
    title: str
    pillow: str
    suffix: str
    options: Mapping[str, Any]
    longest: int

    def with_settings(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What Pillow's save takes to write the file with its settings inside, for us and for other tools.

        DemoError where they are too long for the format.
        """
        ours, theirs = json.dumps(parameters, ensure_ascii=False), infotext(parameters)
        if self.pillow == "PNG":
            return {**self.options, "pnginfo": _chunks(ours, theirs)}
        packet, exif = xmp.packet(ours), _exif(theirs)
        if self.pillow == "JPEG" and max(len(packet), len(exif)) > _LONGEST_IN_JPEG:
            raise DemoError("A JPEG can't hold settings with such a long prompt. Choose PNG or WebP.")
        return {**self.options, "xmp": packet, "exif": exif}


PNG = FileFormat("png", "PNG", "PNG", ".png", {"compress_level": 1}, 2**31 - 1)
"""Level 1: the default takes longer than a 1-step picture on a GPU and saves a tenth."""

FORMATS = (
    PNG,
    FileFormat(
        "webp-lossless", "WebP, lossless", "WEBP", ".webp", {"lossless": True, "exact": True, "method": 2}, 16_383
    ),
    FileFormat("webp", "WebP", "WEBP", ".webp", {"quality": 92}, 16_383),
    FileFormat("jpeg", "JPEG", "JPEG", ".jpg", {"quality": 95, "subsampling": 0}, 65_535),
)
"""All there are, the default first."""

OPTIONS = tuple((known.title, known.name) for known in FORMATS)
"""Their titles and names."""


def named(name: str) -> FileFormat:
    """The format of that name in the API, which is one of `OPTIONS`."""
    return next(known for known in FORMATS if known.name == name)


def _chunks(ours: str, theirs: str) -> PngInfo:
    """A PNG's text: tEXt where Latin-1 has all its letters, since some tools read no other, and else iTXt."""
    info = PngInfo()
    info.add_text("parameters", theirs)
    info.add_text("dmd2", ours)
    info.add_itxt("XML:com.adobe.xmp", xmp.packet().decode())
    return info


def _exif(theirs: str) -> bytes:
    """WebUI's text where it is in files that are no PNG: EXIF's user comment, in UTF-16."""
    exif = Image.Exif()
    exif[Base.Software] = xmp.TOOL
    exif[Base.ExifOffset] = {Base.UserComment.value: b"UNICODE\0" + theirs.encode("utf-16-be", "replace")}
    return exif.tobytes()
