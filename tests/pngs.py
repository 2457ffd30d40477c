"""PNG files that no picture library would write."""

from __future__ import annotations

import struct
import zlib


def png_of_zeros(width: int, height: int, depth: int = 1) -> bytes:
    """A black PNG of `depth` bits that claims any size, in kilobytes; a huge one ends early."""
    pixels = zlib.compress(bytes(min(60_000_000, (1 + (width * depth + 7) // 8) * height)), 9)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
