"""Small files that keep a decoder busy for long, or ask it for much: each ends in time, in a sentence."""

from __future__ import annotations

import io
import itertools
import os
import signal
import struct
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from PIL import Image

from dmd2_demo.errors import DemoError
from dmd2_demo.generate import apart as apart_module
from dmd2_demo.generate.apart import TOO_MUCH, TOO_SLOW, apart
from dmd2_demo.generate.metadata import reading
from dmd2_demo.generate.upload import open_picture
from tests.pngs import png_of_zeros

READERS: dict[str, Callable[[Path], object]] = {
    "open_picture": open_picture,
    "inspect": lambda path: apart(reading.read, path),
}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> Callable[[Path], object]:
    return READERS[request.param]


@pytest.fixture
def few_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The most that a file may take."""
    plain = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(plain)
    open_picture(plain)  # all is imported
    monkeypatch.setattr(apart_module, "CPU_SECONDS", 1)
    monkeypatch.setattr(apart_module, "SECONDS", 4)


def jpeg_of_many_scans(scans: int) -> bytes:
    """9000 x 9000 pixels in half a megabyte, each scan of them all."""
    buffer = io.BytesIO()
    Image.new("L", (9000, 9000), 128).save(buffer, "JPEG", progressive=True, quality=10)
    content = buffer.getvalue()
    starts = [place for place in range(len(content) - 1) if content[place : place + 2] == b"\xff\xda"]
    begin, end = min(itertools.pairwise(starts), key=lambda scan: scan[1] - scan[0])
    return content[:begin] + content[begin:end] * scans + content[end:]


def gif_of_many_comments(blocks: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    comment = b"!\xfe" + (b"\xff" + b"a" * 255) * blocks + b"\0"
    return head + comment + b"," + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x02\x02\x4c\x01\0;"


def tags_of_one_place(tags: int, length: int) -> bytes:
    """TIFF's and EXIF's directory: each tag tells of the same bytes."""
    entries = b"".join(struct.pack("<HHII", 40_000 + tag, 7, length, 8) for tag in range(tags))
    return b"II*\0" + struct.pack("<I", 8 + length) + b"\0" * length + struct.pack("<H", tags) + entries + b"\0" * 4


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(*chunks: bytes) -> bytes:
    """Eight pixels, and those chunks before them."""
    plain = png_of_zeros(8, 8)
    return plain[:33] + b"".join(chunks) + plain[33:]


def bomb(size: int) -> bytes:
    return zlib.compress(b"\0" * size, 9)


SLOW = {
    "scans.jpg": lambda: jpeg_of_many_scans(3000),
    "comments.gif": lambda: gif_of_many_comments(190_000),
}
LARGE = {
    "tags.tiff": lambda: tags_of_one_place(8000, 2_000_000),
    "exif.png": lambda: png_with(chunk(b"eXIf", tags_of_one_place(8000, 2_000_000))),
}
TEXTS = {
    "zTXt": lambda: png_with(chunk(b"zTXt", b"parameters\0\0" + bomb(100_000_000))),
    "iTXt": lambda: png_with(chunk(b"iTXt", b"parameters\0\1\0\0\0" + bomb(100_000_000))),
    "iCCP": lambda: png_with(chunk(b"iCCP", b"profile\0\0" + bomb(100_000_000))),
    "many": lambda: png_with(*[chunk(b"zTXt", b"parameters\0\0" + bomb(1_000_000))] * 100),
}


@pytest.mark.usefixtures("few_seconds")
@pytest.mark.parametrize("name", SLOW)
def test_decoder_that_does_not_end_is_ended(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(SLOW[name]())
    started = time.monotonic()
    with pytest.raises(DemoError) as raised:
        open_picture(path)
    assert str(raised.value) == TOO_SLOW
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("name", LARGE)
def test_memory_that_a_small_file_asks_for_is_bounded(
    tmp_path: Path, name: str, reader: Callable[[Path], object]
) -> None:
    path = tmp_path / name
    path.write_bytes(LARGE[name]())
    before = psutil.Process().memory_info().rss
    with pytest.raises(DemoError) as raised:
        reader(path)
    assert str(raised.value) in {TOO_MUCH, TOO_SLOW}
    assert psutil.Process().memory_info().rss - before < 200_000_000


@pytest.mark.parametrize("name", TEXTS)
def test_compressed_text_is_bounded(tmp_path: Path, name: str, reader: Callable[[Path], object]) -> None:
    path = tmp_path / "text.png"
    path.write_bytes(TEXTS[name]())
    # Which bound it meets first differs with the version of Python.
    with pytest.raises(DemoError, match=r"^(There is too much text in that picture's file|The picture takes too much)"):
        reader(path)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_of_many_frames_the_first_is_taken(tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (64, 64), (number % 256, number // 256, 0)) for number in range(2000)]
    path = tmp_path / "frames"
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], duration=10)
    assert open_picture(path).size == (64, 64)
    with pytest.raises(DemoError, match="There are no settings in that picture"):
        apart(reading.read, path)


@pytest.mark.parametrize("kind", ["EPS", "PDF", "PPM", "ICO", "TGA", "PCX", "SGI", "IM", "JPEG2000", "DDS", "AVIF"])
def test_format_that_is_not_meant_is_no_picture(tmp_path: Path, kind: str, reader: Callable[[Path], object]) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (32, 32)).save(path, kind)
    with pytest.raises(DemoError, match=r"^That file is not a picture that can be read\.$"):
        reader(path)


def test_format_that_pillow_reads_by_other_programs_is_no_picture(
    tmp_path: Path, reader: Callable[[Path], object]
) -> None:
    path = tmp_path / "picture.png"
    for content in (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
        b"SIMPLE  =                    T".ljust(80) + b"END".ljust(2800),
        b"%PDF-1.7\n",
    ):
        path.write_bytes(content)
        with pytest.raises(DemoError, match=r"^That file is not a picture that can be read\.$"):
            reader(path)


def test_crash_of_a_decoder_is_a_sentence_and_the_next_file_is_opened(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="damaged, or too large for this machine"):
        apart(os._exit, 3)
    with pytest.raises(DemoError, match="damaged, or too large for this machine"):
        apart(signal_itself, 11)
    path = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(path)
    assert open_picture(path).size == (8, 8)


def signal_itself(signal: int) -> None:
    os.kill(os.getpid(), signal)


def test_process_that_was_killed_while_it_waited_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(path)
    open_picture(path)
    killed = opening()
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, 10)
    assert open_picture(path).size == (8, 8)


def opening() -> list[psutil.Process]:
    """The processes that open pictures."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_bug_of_ours_is_no_sentence() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        apart(divided_by, 0)


def divided_by(number: int) -> float:
    return 1 / number


def slept(folder: Path) -> int:
    """How many do so at once."""
    mark = folder / str(os.getpid())
    mark.touch()
    time.sleep(0.3)
    count = len(list(folder.iterdir()))
    mark.unlink()
    return count


def test_no_more_than_two_are_open_at_once_and_no_process_is_left_over(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        assert max(pool.map(lambda _: apart(slept, tmp_path), range(6))) <= 2
    assert len(opening()) <= 2


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody waits for another's process")
def test_a_process_whose_end_another_thread_has_waited_for_is_given_up_in_a_sentence() -> None:
    worker = apart_module._Worker()
    pid = worker._watched.pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with pytest.raises(DemoError, match="can't be opened"):
        worker.call(time.sleep, 0)
    assert not worker.alive


def test_who_waits_behind_slow_files_is_served_once_they_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart_module, "SECONDS", 6)  # of which the process that comes after takes some to begin
    plain = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(plain)
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(apart, time.sleep, 60) for _ in range(2)]
        time.sleep(0.5)
        assert pool.submit(open_picture, plain).result(60).size == (8, 8)
        assert {str(waited.exception()) for waited in slow} == {TOO_SLOW}
