from __future__ import annotations

from pathlib import Path

from dmd2_demo.models.parts import PipelineSpec, Scheduler, TextEncoders, UNet, Vae
from dmd2_demo.models.sources import Folder

BASE = Folder(Path("base"))
SPEC = PipelineSpec(TextEncoders(BASE), UNet(BASE), Vae(BASE), Scheduler())


def test_a_pictures_work_grows_with_its_size() -> None:
    whole = 1024 * 1024
    assert SPEC.working(whole) == Vae.working
    assert SPEC.working(whole // 4) == Vae.working // 4
    assert SPEC.working(64 * 64) == TextEncoders.working
    # Tiles bound what the VAE takes; the UNet works on all of it.
    assert SPEC.working(4 * whole) == 4 * UNet.working
