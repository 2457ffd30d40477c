from __future__ import annotations

from pathlib import Path

import pytest
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTokenizer

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.bases import custom, read_bases, with_bases
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.model_kind import ModelKind, of_pipeline
from dmd2_demo.models.catalogue import FAMILIES, SDXL_CONFIGS
from dmd2_demo.models.family import CommunityBase, Licence
from dmd2_demo.models.sources import Folder, HubRepo, SingleFile
from tests.tiny import TinyFamily


def test_bases_from_a_file(family: TinyFamily, tmp_path: Path) -> None:
    (tmp_path / "mine").symlink_to(family.base)
    (tmp_path / "style.safetensors").symlink_to(family.single_file)
    (tmp_path / "bases.toml").write_text("""
        [[base]]
        name = "hub"
        title = "From the hub"
        licence = "CC BY 4.0"
        licence_url = "https://example.org/licence"
        scale = 0.5
        repo = "owner/name"
        revision = "v2"

        [[base]]
        name = "folder"
        licence = "MIT"
        folder = "mine"

        [[base]]
        name = "file"
        licence = "MIT"
        scale = 1
        file = "style.safetensors"
    """)
    mit = Licence("MIT", "")
    assert read_bases(tmp_path / "bases.toml") == (
        CommunityBase(
            "hub",
            "From the hub",
            HubRepo("owner/name", "v2"),
            Licence("CC BY 4.0", "https://example.org/licence"),
            0.5,
        ),
        CommunityBase("folder", "folder", Folder(tmp_path / "mine"), mit, 0.75),
        CommunityBase("file", "file", SingleFile(tmp_path / "style.safetensors", SDXL_CONFIGS), mit, 1.0),
    )


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("", r"must hold bases as \[\[base\]\] tables"),
        ("[base]\nname = 'a'", r"must hold bases as \[\[base\]\] tables"),
        ("base = [", "is no valid TOML"),
        (f"base = {'[' * 5000}{']' * 5000}", "is no valid TOML"),
        (f"[[base]]\nname = 'a'\nlicence = 'MIT'\nfolder = '{'x' * 5000}'", r"Base 1 of bases\.toml: x+ can't be used"),
        ("[[base]]\nlicence = 'MIT'\nrepo = 'a/b'", r"Base 1 of bases\.toml needs a name"),
        ("[[base]]\nname = 'a'\nrepo = 'a/b'", r"Base 1 of bases\.toml needs a licence"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'", "needs one of repo, folder and file"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nrepo = 'a/b'\nfile = 'c'", "needs one of repo, folder and file"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nrepo = 'a/b'\nscale = 2", "scale must be a number from 0 to 1.5"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nrepo = 'a/b'\nscale = nan", "scale must be a number"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nrepo = 'a/b'\nscale = '1'", "scale must be a number"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nrepo = 1", "repo must be text in quotes"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nrepo = 'a/b'\nsize = 'xl'", "'size', which means nothing"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nfolder = 'absent'", "there is no folder absent"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nfile = 'absent.safetensors'", "There is no file absent"),
        ("[[base]]\nname = 'a'\nlicence = 'MIT'\nfolder = '.'\nrevision = 'v1'", "only a repo has a revision"),
    ],
)
def test_bad_file_is_told(tmp_path: Path, toml: str, sentence: str) -> None:
    (tmp_path / "bases.toml").write_text(toml)
    with pytest.raises(DemoError, match=sentence):
        read_bases(tmp_path / "bases.toml")


def test_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"bases\.toml, can't be read"):
        read_bases(tmp_path / "bases.toml")


def test_file_that_is_no_base_is_told_at_the_start(family: TinyFamily, tmp_path: Path) -> None:
    (tmp_path / "lora.safetensors").symlink_to(family.dmd2 / "dmd2_sdxl_4step_lora_fp16.safetensors")
    (tmp_path / "bases.toml").write_text("[[base]]\nname = 'a'\nlicence = 'MIT'\nfile = 'lora.safetensors'")
    with pytest.raises(DemoError, match=r"lora\.safetensors is a LoRA, and an SDXL base is needed"):
        read_bases(tmp_path / "bases.toml")


def test_family_with_more_bases() -> None:
    family = FAMILIES["sdxl"]
    more = with_bases(family, [custom(str, "owner/name")])
    assert more.community("owner/name").source == HubRepo("owner/name", anonymous=True)
    assert more.bases[: len(family.bases)] == family.bases
    with pytest.raises(DemoError, match="Two bases are called 'owner/name'"):
        with_bases(more, [custom(str, " owner/name ")])


def test_visitor_may_name_a_base_of_the_catalogue() -> None:
    for typed in (
        "SG161222/RealVisXL_V5.0",
        "sg161222/realvisxl_v5.0",
        " https://huggingface.co/SG161222/RealVisXL_V5.0 ",
        "https://huggingface.co/SG161222/RealVisXL_V5.0/tree/main?x=1#files",
        "hf.co/sg161222/RealVisXL_V5.0/",
    ):
        assert custom(str, typed) is FAMILIES["sdxl"].community("realvis")


def test_a_custom_base_is_called_as_the_hub_spells_it() -> None:
    asked: list[str] = []

    def spelled(repo_id: str) -> str:
        asked.append(repo_id)
        return "Owner/Name"

    base = custom(spelled, "http://www.huggingface.co/owner/NAME/blob/main/unet/config.json")
    assert asked == ["owner/NAME"]
    assert (base.name, base.source) == ("Owner/Name", HubRepo("Owner/Name", anonymous=True))
    assert custom(lambda _: "SG161222/RealVisXL_V5.0", "old/name") is FAMILIES["sdxl"].community("realvis")
    own = CommunityBase("own", "Own", HubRepo("Owner/Name"), Licence("mine", ""), scale=0.6)
    assert custom(spelled, "owner/name", [own]) is own


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "name",
        "/etc/passwd",
        "../secrets",
        "owner/..",
        "a/b/c",
        "owner/na--me",
        "C:\\models",
        "owner/name\n/x",
        "é/b",
    ],
)
def test_visitor_names_a_repository_and_nothing_else(typed: str) -> None:
    with pytest.raises(DemoError, match="is no repository on the hub"):
        custom(str, typed)


def test_shipped_configs_are_sdxls(cache: Path) -> None:
    assert of_pipeline(SDXL_CONFIGS, Hub(cache)) is ModelKind.SDXL
    unet = UNet2DConditionModel.load_config(SDXL_CONFIGS.path, subfolder="unet")
    assert unet["projection_class_embeddings_input_dim"] == 1280 + 6 * 256
    one, two = (
        CLIPTextConfig.from_pretrained(SDXL_CONFIGS.path / folder) for folder in ("text_encoder", "text_encoder_2")
    )
    assert unet["cross_attention_dim"] == one.hidden_size + two.hidden_size == 2048
    assert AutoencoderKL.load_config(SDXL_CONFIGS.path, subfolder="vae")["scaling_factor"] == 0.13025
    scheduler = EulerDiscreteScheduler.from_pretrained(SDXL_CONFIGS.path, subfolder="scheduler")
    assert scheduler.config["timestep_spacing"] == "leading"


@pytest.mark.parametrize(("folder", "pad"), [("tokenizer", 49407), ("tokenizer_2", 0)])
def test_shipped_tokenizers_are_clips(folder: str, pad: int) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(SDXL_CONFIGS.path / folder)
    # The ids that CLIP's own examples show.
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer("a photo of a cat", padding="max_length").input_ids[7:] == [pad] * 70


@pytest.mark.parametrize(
    "typed",
    [
        "https://huggingface.co/owner/name/",
        " HTTPS://HuggingFace.co/owner/name/tree/main/unet?x=1#y ",
        "hf.co/owner/name/blob/main/model.safetensors",
        "www.huggingface.co/owner/name/discussions/3",
        "owner/name/ ",
    ],
)
def test_address_of_a_page_names_its_repository(typed: str) -> None:
    assert custom(str, typed).source == HubRepo("owner/name", anonymous=True)


@pytest.mark.parametrize("typed", ["https://huggingface.co/spaces/owner/name", "hf.co/datasets/owner/name"])
def test_address_of_something_else_names_none(typed: str) -> None:
    with pytest.raises(DemoError, match="is no repository on the hub"):
        custom(str, typed)


def test_address_of_another_revision_is_refused() -> None:
    with pytest.raises(DemoError, match="Only the main revision of a repository can be named here, not 'fp16'"):
        custom(str, "https://huggingface.co/owner/name/tree/fp16")
