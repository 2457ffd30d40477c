from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dmd2_demo.generate.disk_plan import every_part, need_of, plan, with_first_bases
from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import CommunityBase
from dmd2_demo.models.parts import Adapter, Vae
from dmd2_demo.models.sources import File, HubRepo
from tests.local_hub import LocalHub

EMBEDDED = Path(__file__).parents[2] / "dmd2_demo" / "embedded"
REPOS = {
    "o/base": EMBEDDED / "base",
    "o/fluent": EMBEDDED / "community" / "fluent",
    "o/dmd2": EMBEDDED / "dmd2",
    "o/adapter": EMBEDDED / "t2i-adapter-canny",
}
_PLAIN = FAMILIES["embedded"]
BASE, DMD2 = HubRepo("o/base"), HubRepo("o/dmd2")
FAMILY = replace(
    _PLAIN,
    base=BASE,
    vae=Vae(BASE),
    distilled=tuple(replace(one, weights=File(DMD2, one.weights.name)) for one in _PLAIN.distilled),
    lora=File(DMD2, _PLAIN.lora.name),
    adapter=Adapter(HubRepo("o/adapter")),
    bases=(
        replace(_PLAIN.bases[0], source=BASE),
        CommunityBase("fluent", "Fluent", HubRepo("o/fluent"), _PLAIN.bases[1].licence),
    ),
)
ONE_STEP = File(DMD2, "dmd2_sdxl_1step_unet_fp16.bin")
SPARE = 1_000_000_000


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", "")
    with LocalHub(REPOS) as local:
        yield Hub(cache, local.url)


def size(repo: str, *names: str) -> int:
    return sum((REPOS[repo] / name).stat().st_size for name in names)


def test_the_need_is_what_comes_and_what_is_made_of_it(hub: Hub) -> None:
    need = need_of(every_part(FAMILY), hub)
    pickle = size("o/dmd2", ONE_STEP.name)
    assert need.converted == pickle
    assert need.packed > need.converted
    assert need.downloads > need.packed  # the LoRA, configs and tokenizers are not packed
    fetched = hub.fetch(ONE_STEP)
    after = need_of(every_part(FAMILY), hub)
    assert after == replace(need, downloads=need.downloads - pickle)
    hub.forget(ONE_STEP)
    assert not fetched.exists()
    assert need_of(every_part(FAMILY), hub) == need


def test_as_many_bases_as_fit_and_at_least_one(hub: Hub) -> None:
    both, one = (need_of(every_part(with_first_bases(FAMILY, count)), hub) for count in (2, 1))
    assert one.total < both.total

    def planned(free: int) -> tuple[int, bool]:
        made = plan(FAMILY, 2, hub, free + SPARE)
        assert "Loading everything takes" in made.line
        assert ("1 of 2 bases" in made.line) == (len(made.family.bases) == 1)
        return len(made.family.bases), made.drop_pickles

    assert planned(both.total) == (2, False)
    assert planned(both.total - 1) == (2, True)
    assert planned(both.total - both.converted - 1) == (1, one.total > both.total - both.converted - 1)
    assert planned(0) == (1, True)


def test_examples_are_of_bases_that_are_there() -> None:
    fewer = with_first_bases(FAMILIES["sdxl"], 2)
    assert [base.name for base in fewer.bases] == ["sdxl", "realvis"]
    assert {example.base for example in fewer.lora_examples} == {"realvis"}
