"""Which weights a picture tells: by what their files hold."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from dmd2_demo.generate.identity import identified
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.parts import PipelineSpec, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import Folder, HubRepo
from tests.embedded import canny, lora, text
from tests.local_hub import LocalHub
from tests.small_repo import REPO

OFFLINE = "http://127.0.0.1:1"
EMBEDDED = Path(__file__).parents[2] / "dmd2_demo" / "embedded"


@pytest.mark.parametrize(
    ("request_", "parts"),
    [
        (text(steps=1), {"UNet", "text encoders", "VAE"}),
        (lora(base=FAMILIES["embedded"].bases[2]), {"UNet", "LoRA", "text encoders", "VAE"}),
        (canny(Image.new("RGB", (64, 64))), {"UNet", "text encoders", "VAE", "adapter"}),
    ],
    ids=["text", "lora on a single file", "canny"],
)
def test_every_file_of_weights_with_its_hash(tmp_path: Path, request_: object, parts: set[str]) -> None:
    told = identified(Hub(tmp_path, OFFLINE), request_.spec())  # type: ignore[attr-defined]
    assert {entry["part"] for entry in told} >= parts
    for entry in told:
        (path,) = EMBEDDED.rglob(entry["file"])
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert "revision" not in entry


def spec_of(source: Folder | HubRepo) -> PipelineSpec:
    base = FAMILIES["embedded"].base
    return PipelineSpec(TextEncoders(base), UNet(source), Vae(base), Scheduler())


def unets(hub: Hub, source: Folder | HubRepo) -> list[dict[str, str]]:
    return [entry for entry in identified(hub, spec_of(source)) if entry["part"] == "UNet"]


def test_a_file_that_changed_has_another_hash(tmp_path: Path) -> None:
    weights = tmp_path / "base" / "unet" / "diffusion_pytorch_model.fp16.safetensors"
    weights.parent.mkdir(parents=True)
    for content in (b"one", b"three"):
        weights.write_bytes(content)
        (told,) = unets(Hub(tmp_path, OFFLINE), Folder(tmp_path / "base"))
        assert told["sha256"] == hashlib.sha256(content).hexdigest()


def test_weights_in_pieces_are_told_by_the_pieces(tmp_path: Path) -> None:
    unet = tmp_path / "base" / "unet"
    unet.mkdir(parents=True)
    names = [f"diffusion_pytorch_model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = {"weight_map": dict(zip("ab", names, strict=True))}
    (unet / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    for name in names:
        (unet / name).write_bytes(name.encode())
    told = unets(Hub(tmp_path, OFFLINE), Folder(tmp_path / "base"))
    assert [entry["sha256"] for entry in told] == [hashlib.sha256(name.encode()).hexdigest() for name in names]


def test_what_came_from_the_hub_tells_its_commit(tmp_path: Path) -> None:
    published = tmp_path / "published"
    weights = published / "unet" / "diffusion_pytorch_model.fp16.safetensors"
    weights.parent.mkdir(parents=True)
    save_file({"weight": torch.zeros(4)}, weights)
    with LocalHub({REPO: published}) as served:
        hub, source = Hub(tmp_path / "cache", served.url), HubRepo(REPO)
        assert unets(hub, source) == []  # nothing is downloaded for it
        hub.first(UNet(source).files()[-1])
        (told,) = unets(hub, source)
    assert told["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert re.fullmatch("[0-9a-f]{40}", told["revision"])
