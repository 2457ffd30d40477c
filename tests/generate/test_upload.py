from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageDraw
from PIL.ExifTags import Base

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.upload import open_picture, rgb
from tests.pngs import png_of_zeros

pillow_heif.register_heif_opener()  # to write them: the page's own process reads none

RED, WHITE = (255, 0, 0), (255, 255, 255)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def test_no_picture_is_asked_for() -> None:
    with pytest.raises(DemoError, match=r"^Choose a picture first\.$"):
        open_picture(None)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "HEIF"])
def test_truncated_picture_is_refused(tmp_path: Path, kind: str, kept: float) -> None:
    noise = Image.effect_noise((100, 100), 90).convert("RGB")
    buffer = io.BytesIO()
    noise.save(buffer, kind)
    path = tmp_path / "cut"
    path.write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * kept)])
    with pytest.raises(DemoError, match=r"^(The picture is damaged|That file is not a picture)"):
        open_picture(path)


@pytest.mark.parametrize(
    "content", [b"", b"just text", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe1\x00\x10Exif"]
)
def test_file_that_only_claims_to_be_a_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "claim.png"
    path.write_bytes(content)
    with pytest.raises(DemoError, match=r"^(That file is not a picture that can be read|The picture is damaged)"):
        open_picture(path)


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (10_001, 10_000), (65_535, 65_535)])
def test_decompression_bomb_is_refused_unopened(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_zeros(width, height))
    with pytest.raises(DemoError, match=r"^The picture is too large"):
        open_picture(path)


def test_large_picture_below_the_limit_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png_of_zeros(9_500, 9_500))
    assert open_picture(path).size == (9_500, 9_500)


def test_one_pixel_is_a_picture(tmp_path: Path) -> None:
    opened = open_picture(saved(Image.new("RGB", (1, 1), RED), tmp_path / "one.png"))
    assert (opened.size, opened.getpixel((0, 0))) == ((1, 1), RED)


@pytest.mark.parametrize(
    ("mode", "kind"), [("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("CMYK", "TIFF")]
)
def test_modes_without_transparency_keep_their_look(tmp_path: Path, mode: str, kind: str) -> None:
    half = Image.new("RGB", (64, 64), "white")
    half.paste("black", (0, 0, 32, 64))
    opened = open_picture(saved(half.convert(mode), tmp_path / "half", format=kind))
    assert opened.mode == "RGB"
    assert np.abs(np.asarray(opened, int) - np.asarray(half, int)).max() <= 8


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path, kind: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    opened = np.asarray(open_picture(saved(Image.fromarray(ramp), tmp_path / "deep", format=kind)))
    assert np.array_equal(opened[..., 0].ravel(), np.arange(256))


def test_numbers_from_0_to_255_in_wide_modes_are_not_darkened() -> None:
    values = np.array([[0, 128, 255]])
    for image in (Image.fromarray(values.astype(np.int32)), Image.fromarray(values.astype(np.float32))):
        assert np.array_equal(np.asarray(rgb(image))[..., 0], values)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_becomes_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 2, 4))
    converted = image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    if mode == "PA":
        converted.putalpha(image.getchannel("A"))
    opened = rgb(converted)
    assert opened.mode == "RGB"
    assert opened.getpixel((3, 0)) == WHITE
    assert opened.getpixel((0, 0)) == (0, 0, 0)


def test_palette_with_a_transparent_colour_becomes_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 2, 4))
    opened = open_picture(saved(image, tmp_path / "palette.png", transparency=0))
    assert (opened.getpixel((0, 0)), opened.getpixel((3, 0))) == (WHITE, RED)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (5, 3)), (6, (3, 0)), (8, (0, 5))])
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int, corner: tuple[int, int]) -> None:
    image = Image.new("RGB", (6, 4))
    image.putpixel((0, 0), RED)
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_picture(saved(image, tmp_path / "turned.png", exif=exif))
    assert opened.size == ((4, 6) if orientation in {6, 8} else (6, 4))
    assert opened.getpixel(corner) == RED


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\x00\x00",
        b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01",
        b"Exif\x00\x00II*\x00\xff\xff\xff\xff",
        b"Exif\x00\x00XXgarbage",
    ],
)
@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_damaged_exif_costs_no_picture(tmp_path: Path, kind: str, exif: bytes) -> None:
    path = saved(Image.new("RGB", (6, 4), RED), tmp_path / f"exif.{kind}", exif=exif)
    assert open_picture(path).size == (6, 4)


def test_exif_that_can_not_be_written_back_turns_the_picture_all_the_same(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation], exif[Base.Make], exif[Base.XResolution] = 6, "somebody", 72.0
    path = saved(Image.new("RGB", (6, 4), RED), tmp_path / "exif.jpg", exif=exif)
    whole = path.read_bytes()
    start = whole.index(b"Exif")
    for at in range(start + 14, start + 14 + 60):
        for value in (0, 255):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            assert open_picture(path).size in {(6, 4), (4, 6)}


def test_picture_that_is_gone_is_to_be_chosen_again(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"^The picture is no longer there. Please choose it again\.$"):
        open_picture(tmp_path / "gone.png")


def test_numbers_as_far_apart_as_there_are_keep_their_shades(tmp_path: Path) -> None:
    wide = np.array([[-3.4e38, 0, 3.4e38]], np.float32)
    Image.fromarray(wide).save(tmp_path / "wide.tiff")
    dark, middle, bright = (open_picture(tmp_path / "wide.tiff").getpixel((x, 0)) for x in range(3))
    assert (dark, bright) == ((0, 0, 0), (255, 255, 255))
    assert middle in {(127, 127, 127), (128, 128, 128)}


def test_what_a_reader_of_a_rarer_format_says_is_turned_into_a_sentence(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((40, 40), 90).convert("RGB").save(buffer, "AVIF")
    path = tmp_path / "damaged.avif"
    path.write_bytes(buffer.getvalue().replace(b"av01", b"none"))
    with pytest.raises(DemoError, match=r"^(The picture is damaged|That file is not a picture)"):
        open_picture(path)


@pytest.mark.parametrize(("line", "ground"), [("white", (0, 0, 0)), ((240, 235, 220), (0, 0, 0)), ("black", WHITE)])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_drawn_on_transparency_is_seen(line: object, ground: tuple[int, int, int], mode: str) -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((20, 20, 30, 50), fill=line)  # type: ignore[arg-type]
    opened = rgb(image.convert(mode))
    assert opened.getpixel((0, 0)) == ground
    assert abs(sum(opened.getpixel((25, 25))) - sum(ground)) > 600  # type: ignore[arg-type]


def test_nothing_visible_at_all_is_white() -> None:
    assert rgb(Image.new("RGBA", (4, 4), (255, 255, 255, 0))).getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_what_phones_write_is_read(tmp_path: Path, bits: int) -> None:
    ramp = np.linspace(0, 65535, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint16)
    picture = pillow_heif.from_bytes("RGB;16", (64, 64), ramp.tobytes())
    path = tmp_path / "phone.heic"
    picture.save(path, quality=-1, save_to_12bit=bits == 12, chroma=444)
    opened = np.asarray(open_picture(path), float)
    assert np.abs(opened - ramp / 257).mean() < 3


def test_what_phones_write_is_turned_upright_once(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 32))
    image.paste(RED, (0, 0, 16, 16))
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = open_picture(saved(image, tmp_path / "turned.heic", exif=exif.tobytes(), quality=-1))
    assert opened.size == (32, 64)
    red, _, _ = opened.getpixel((28, 4))  # type: ignore[misc]
    assert red > 200
