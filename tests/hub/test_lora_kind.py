from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.hub import lora_kind
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.lora_kind import LoraKind, is_distillation, of_header, refusal_of_name, require_style
from dmd2_demo.hub.safetensors_header import Header, Tensor
from dmd2_demo.models.parts import Lora
from dmd2_demo.models.sources import File, Folder, HubRepo
from tests.local_hub import LocalHub
from training.family.members import LORA
from training.folders import FAMILY


@pytest.mark.parametrize(
    "name",
    [
        "tianweiy/DMD2/dmd2_sdxl_4step_lora_fp16.safetensors",
        "latent-consistency/lcm-lora-sdxl/pytorch_lora_weights.safetensors",
        "ByteDance/SDXL-Lightning/sdxl_lightning_8step_lora.safetensors",
        "ByteDance/Hyper-SD/Hyper-SDXL-8steps-lora.safetensors",
        "somebody/x/hyper_sdxl.safetensors",
        "somebody/sdxl-turbo-lora/a.safetensors",
        "jasperai/flash-sdxl/pytorch_lora_weights.safetensors",
        "somebody/x/dreamshaperXL_turbo.safetensors",
        "somebody/x/lightning_lora.safetensors",
        "somebody/x/TCD-SDXL-LoRA.safetensors",
        "wangfuyun/PCM_Weights/pcm_sdxl_smallcfg_2step_converted.safetensors",
    ],
)
def test_another_distillation_is_told_by_its_name(name: str) -> None:
    owner, repo, file = name.split("/")
    assert "makes few steps enough" in refusal_of_name(File(HubRepo(f"{owner}/{repo}"), file))


@pytest.mark.parametrize(
    "name",
    [
        "pixel-art-xl.safetensors",
        "hyper-realism.safetensors",
        "hyperdetailed.safetensors",
        "add-detail-xl.safetensors",
        "style-000010.safetensors",
        "ral-dissolve-sdxl-1500steps.safetensors",
        "turbocharged.safetensors",
        "flash-photography-xl.safetensors",
        "footsteps.safetensors",
        "xl_more_art-full_v1.safetensors",
        "watercolor_2-step00001000.safetensors",
        "hyper-3d-render.safetensors",
        "porsche-911-turbo.safetensors",
        "lightning-bolts.safetensors",
    ],
)
def test_other_names_are_no_distillations(name: str) -> None:
    assert not is_distillation(name)


def header(*names: str, width: int = 2048, **metadata: str) -> Header:
    heard = {
        f"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_{half}.weight": Tensor("F16", shape)
        for half, shape in (("A", (4, width)), ("B", (640, 4)))
    }
    return Header(heard | {name: Tensor("F16", (4, 4)) for name in names}, metadata)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (header(), LoraKind.PLAIN),
        (header(width=768), LoraKind.SD1),
        (header(width=1024), LoraKind.SD2),
        (header("unet.x.lora_magnitude_vector"), LoraKind.DORA),
        (header("lora_unet_x.hada_w1_a"), LoraKind.LOHA),
        (header("lora_unet_x.lokr_w1"), LoraKind.LOKR),
        (header("lora_unet_x.lora_mid.weight"), LoraKind.OTHER),
        (header("lora_unet_x.oft_blocks"), LoraKind.OTHER),
        (header("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight"), LoraKind.FLUX),
        (header("transformer.x.lora_A.weight"), LoraKind.FLUX),
        (Header(header().tensors, {"modelspec.title": "SDXL LCM"}), LoraKind.DISTILLATION),
        (header(ss_output_name="my_hyper-sdxl"), LoraKind.DISTILLATION),
        (Header({"x": Tensor("F16", (3,))}, {}), LoraKind.NOTHING),
    ],
)
def test_kind_is_told_by_the_header(given: Header, kind: LoraKind) -> None:
    assert of_header(given, 2048) is kind


def test_a_base_of_that_width_takes_it() -> None:
    assert of_header(header(width=768), 768) is LoraKind.PLAIN


def test_dmd2s_own_is_told_by_its_form_also_where_only_its_style_is_on_this_disk(tmp_path: Path) -> None:
    for name in ("theirs", "ours"):
        (tmp_path / name).mkdir()
        shutil.copyfile(LORA, tmp_path / name / "pastel.safetensors")
    base = Folder(FAMILY / "base")
    own = File(HubRepo("owner/distilled"), "pastel.safetensors")
    with LocalHub({"owner/distilled": tmp_path / "theirs", "somebody/pastel": tmp_path / "ours"}) as local:
        for source in (HubRepo("somebody/pastel", anonymous=True), Folder(tmp_path / "ours")):
            style = Lora(File(source, "pastel.safetensors"), base, distillation=own)
            with pytest.raises(DemoError, match="makes few steps enough"):
                require_style(style, Hub(tmp_path / "cache", local.url))
            # Where DMD2's can't be looked at, the style is not to blame.
            lost = replace(style, distillation=File(HubRepo("owner/nothing"), "pastel.safetensors"))
            assert require_style(lost, Hub(tmp_path / "cache", local.url)).tensors
        assert all(one.end is not None for one in local.asked if one.method == "GET" and one.start >= 0)


def test_a_file_that_is_longer_than_its_header_says_is_refused_before_it_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs").mkdir()
    content = LORA.read_bytes()
    (tmp_path / "theirs" / "pastel.safetensors").write_bytes(content + bytes(1000))
    monkeypatch.setattr(lora_kind, "_LARGEST", len(content) + 500)
    style = Lora(File(HubRepo("somebody/pastel", anonymous=True), "pastel.safetensors"), Folder(FAMILY / "base"))
    with LocalHub({"somebody/pastel": tmp_path / "theirs"}) as local:
        with pytest.raises(DemoError, match="it has more than"):
            require_style(style, Hub(tmp_path / "cache", local.url))
        assert all(one.end is not None for one in local.asked if one.method == "GET" and one.start >= 0)
