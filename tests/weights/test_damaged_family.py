"""Each file of the embedded family damaged in turn: a sentence that names it, and never anything else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch

from dmd2_demo.errors import DemoError
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.parts import Adapter, Lora, Part, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import File, Folder, PipelineSource, SingleFile
from dmd2_demo.weights.loader import PartLoader

EMBEDDED = Path(__file__).parent.parent.parent / "dmd2_demo" / "embedded"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 123456\n" % (b"a" * 64)
FILES = sorted(
    str(path.relative_to(EMBEDDED))
    for folder in ("base", "dmd2", "t2i-adapter-canny", "community")
    for path in (EMBEDDED / folder).rglob("*")
    if path.suffix in {".json", ".safetensors", ".bin"}
)


def parts(root: Path) -> tuple[Part, ...]:
    base, dmd2 = Folder(root / "base"), Folder(root / "dmd2")
    lora = File(dmd2, "dmd2_sdxl_4step_lora_fp16.safetensors")
    bases: tuple[PipelineSource, ...] = (
        Folder(root / "community" / "fluent"),
        SingleFile(root / "community" / "twemoji" / "twemoji.safetensors", base),
    )
    return (
        *(
            UNet(base, File(dmd2, name))
            for name in sorted(path.name for path in (root / "dmd2").iterdir())
            if "unet" in name
        ),
        *(part for source in bases for part in (Lora(lora, source), UNet(source))),
        *(TextEncoders(source) for source in (base, *bases)),
        Vae(base),
        Adapter(Folder(root / "t2i-adapter-canny")),
        Scheduler(),
    )


def reads(part: Part, path: Path) -> bool:
    files = [file for choice in part.files() for file in choice]
    if path.name == "model_index.json":
        return any(file.source.path == path.parent for file in files if isinstance(file.source, Folder))
    return path in {file.source.path / file.name for file in files if isinstance(file.source, Folder)}


@pytest.mark.parametrize("name", FILES)
def test_damaged_file_is_a_sentence_and_mended_it_works(name: str, tmp_path: Path) -> None:
    root = tmp_path / "family"
    # Links: nothing large is copied.
    shutil.copytree(EMBEDDED, root, copy_function=os.symlink, ignore=shutil.ignore_patterns("pictures", "examples"))
    damaged, whole = root / name, (EMBEDDED / name).read_bytes()
    concerned = [part for part in parts(root) if reads(part, damaged)][:2]
    middle = len(whole) // 2
    for content in (b"", whole[:middle], POINTER, b"\xff\xfe" + whole[2:], b"[]"):
        damaged.unlink()
        damaged.write_bytes(content)
        for part in concerned:
            loader = PartLoader(Hub(tmp_path / "hub"), torch.device("cpu"), torch.float32, tmp_path / "converted")
            said = ""
            try:
                loader.fetch(part)
                loader.load(part)
            except DemoError as error:
                said = str(error)
            assert "\n" not in said
            assert content != POINTER or f"{damaged.name} is a Git LFS pointer" in said
    damaged.unlink()
    damaged.write_bytes(whole)
    loader = PartLoader(Hub(tmp_path / "hub"), torch.device("cpu"), torch.float32, tmp_path / "converted")
    for part in concerned:
        loader.fetch(part)
        loader.load(part)
