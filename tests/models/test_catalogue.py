from __future__ import annotations

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Family
from dmd2_demo.models.sources import HubRepo

EACH = pytest.mark.parametrize(
    "family",
    [*FAMILIES.values(), FAMILIES["sdxl"].for_cpu()],
    ids=[*FAMILIES, "sdxl on a CPU"],
)


@EACH
def test_bases_have_names_of_their_own_licences_and_usable_scales(family: Family) -> None:
    names = [base.name for base in family.bases]
    assert len(names) == len(set(names))
    for base in family.bases:
        assert base.licence.name
        assert base.licence.url.startswith("https://")
        assert 0 < base.scale <= 1.5


@EACH
def test_family_base_is_offered_at_full_scale_and_others_below(family: Family) -> None:
    scales = {base.source == family.base: base.scale for base in family.bases}
    assert scales == {True: 1.0, False: 0.75}


def test_sdxl_begins_small_on_a_cpu_and_canny_stays_small_there() -> None:
    family = FAMILIES["sdxl"].for_cpu()
    assert family.sizes.default == (512, 512)
    assert (1024, 1024) in family.sizes.buckets
    pixels = [width * height for width, height in (family.sizes.nearest(w, 100) for w in range(25, 401, 5))]
    assert max(pixels) <= 1024 * 1024
    assert family.sizes.nearest(100, 100) == (512, 512)
    assert family.bases == FAMILIES["sdxl"].bases


def test_the_embedded_family_is_the_same_on_a_cpu() -> None:
    assert FAMILIES["embedded"].for_cpu() is FAMILIES["embedded"]


def test_sdxl_offers_five_community_bases_from_the_hub() -> None:
    family = FAMILIES["sdxl"]
    community = [base for base in family.bases if base.source != family.base]
    assert len(community) >= 5
    assert all(isinstance(base.source, HubRepo) for base in community)


@EACH
def test_sizes_suit_the_unet_and_the_adapter(family: Family) -> None:
    sizes = family.sizes
    for width, height in sizes.buckets:
        assert width % 16 == height % 16 == 0
        assert sizes.shortest <= min(width, height) <= max(width, height) <= sizes.longest
    assert sizes.shortest % sizes.grid == sizes.longest % sizes.grid == 0


@EACH
def test_nearest_bucket_has_the_nearest_aspect(family: Family) -> None:
    sizes = family.sizes
    for bucket in sizes.buckets:
        width, height = sizes.nearest(3 * bucket[0], 3 * bucket[1])
        assert width * bucket[1] == height * bucket[0]
    widest = max(sizes.buckets, key=lambda bucket: bucket[0] / bucket[1])
    assert sizes.nearest(4000, 1000) == widest
    assert sizes.nearest(1, 1) == sizes.default


@EACH
def test_every_example_names_a_base_that_there_is(family: Family) -> None:
    for example in family.lora_examples:
        assert example.base
        family.community(example.base)


@EACH
def test_what_there_is_not_is_told(family: Family) -> None:
    with pytest.raises(DemoError, match=r"^Steps must be 1 or 4\.$"):
        family.at(2)
    with pytest.raises(DemoError, match="There is no base called 'nobody'"):
        family.community("nobody")
