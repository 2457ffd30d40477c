from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dmd2_demo.errors import Cancelled, DemoError, DeviceFull
from dmd2_demo.generate.requests import CannyGuided, TextToImage
from dmd2_demo.generate.studio import Studio
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.progress import Progress, Report, silent
from tests.fakes import FakePipeline

FAMILY = replace(FAMILIES["embedded"], words=None)


class House:
    """A studio over a fake pipeline. `leases` counts those begun, `held` is true inside one."""

    def __init__(self, words: Path | None = None) -> None:
        self.pipeline = FakePipeline()
        self.leases: list[PipelineSpec] = []
        self.held = False
        self.studio = Studio(replace(FAMILY, words=words), self.lease)

    @contextmanager
    def lease(self, spec: PipelineSpec, report: Report) -> Iterator[FakePipeline]:
        self.leases.append(spec)
        self.held = True
        try:
            yield self.pipeline
        finally:
            self.held = False


def text(**changes: Any) -> TextToImage:
    values: dict[str, Any] = {"family": FAMILY, "prompt": "a cat", "width": 64, "height": 64}
    return TextToImage(**(values | changes))


def never() -> bool:
    return False


def test_each_picture_is_made_from_its_own_seed_and_knows_it() -> None:
    house = House()
    request = text(seed=5, images=3)
    made = list(house.studio.generate(request, silent, never))
    assert [seed for seed, _ in house.pipeline.drawn] == [5, 6, 7]
    assert [picture.settings for picture in made] == [request.settings(i) for i in range(3)]
    assert [picture.image.getpixel((0, 0)) for picture in made] == [(5, 0, 0), (6, 0, 0), (7, 0, 0)]
    assert all(picture.seconds >= 0 for picture in made)


def test_pictures_arrive_one_by_one_and_nobody_holds_the_device_meanwhile() -> None:
    house = House()
    pictures = house.studio.generate(text(images=3), silent, never)
    for made, _ in enumerate(pictures, start=1):
        assert len(house.pipeline.drawn) == len(house.leases) == made
        assert not house.held


def test_each_step_of_each_picture_moves_the_progress() -> None:
    told: list[Progress] = []
    list(House().studio.generate(text(images=2), told.append, never))
    assert [progress.fraction for progress in told] == [step / 8 for step in range(1, 9)]
    assert told[0].sentence == "Picture 1 of 2, step 1 of 4"
    list(House().studio.generate(text(steps=1), told.append, never))
    assert told[-1] == Progress("Step 1 of 1", 1)


@pytest.mark.parametrize("stop_at", [1, 3, 6])
def test_stop_ends_within_one_step_and_frees_the_device(stop_at: int) -> None:
    house = House()
    steps: list[int] = []
    house.pipeline.before_step = steps.append
    made = []
    with pytest.raises(Cancelled):
        made += list(house.studio.generate(text(images=8), silent, lambda: len(steps) >= stop_at))
    assert len(steps) == stop_at
    assert not house.held
    assert list(house.studio.generate(text(), silent, never))


def test_stop_ends_a_download_at_its_next_report() -> None:
    reports: list[Progress] = []

    @contextmanager
    def downloads(spec: PipelineSpec, report: Report) -> Iterator[FakePipeline]:
        for piece in range(100):
            report(Progress(f"Downloading, piece {piece}"))
        yield FakePipeline()

    studio = Studio(FAMILY, downloads)
    with pytest.raises(Cancelled):
        next(studio.generate(text(), reports.append, lambda: len(reports) == 3))
    assert len(reports) == 3


def test_stop_before_the_start_leases_nothing() -> None:
    house = House()
    with pytest.raises(Cancelled):
        next(house.studio.generate(text(), silent, lambda: True))
    assert house.leases == []


def test_stop_between_pictures_makes_no_more() -> None:
    house = House()
    pictures = house.studio.generate(text(images=8), silent, lambda: bool(house.pipeline.drawn) and not house.held)
    next(pictures)
    with pytest.raises(Cancelled):
        next(pictures)
    assert len(house.leases) == 1


def test_picture_that_fails_frees_the_device_and_the_next_request_works() -> None:
    def fail(step: int) -> None:
        raise DemoError("No.")

    house = House()
    house.pipeline.before_step = fail
    with pytest.raises(DemoError, match=r"^No\.$"):
        next(house.studio.generate(text(), silent, never))
    assert not house.held
    house.pipeline.before_step = lambda step: None
    assert list(house.studio.generate(text(), silent, never))


@pytest.mark.parametrize(("unread", "shown"), [("the end", "“the end”"), ("x" * 100, f"“{'x' * 57}...”")])
def test_what_the_model_does_not_read_is_told(unread: str, shown: str) -> None:
    house = House()
    house.pipeline.unread = unread
    [picture] = house.studio.generate(text(), silent, never)
    assert picture.notices == (f"The prompt is longer than the model reads; this was left out: {shown}",)


def test_words_that_the_family_never_saw_are_told(tmp_path: Path) -> None:
    words = tmp_path / "words.json"
    words.write_text(json.dumps({"things": ["cat"], "styles": [], "colours": [], "templates": ["a"]}))
    [known] = House(words).studio.generate(text(), silent, never)
    [unknown] = House(words).studio.generate(text(prompt="a zebra"), silent, never)
    assert known.notices == ()
    assert unknown.notices == ("This small family doesn't know: zebra.",)


def test_canny_is_guided_by_the_very_map_that_was_shown() -> None:
    house = House()
    image = Image.linear_gradient("L").resize((300, 200)).convert("RGB")
    request = CannyGuided(family=FAMILY, prompt="a cat", image=image, images=2, is_edge_map=True)
    shown = house.studio.edges(request)
    made = list(house.studio.generate(request, silent, never))
    assert shown.size == request.size
    assert [edges.tobytes() if edges else None for _, edges in house.pipeline.drawn] == [shown.tobytes()] * 2
    assert all(picture.edges and picture.edges.tobytes() == shown.tobytes() for picture in made)


def test_text_to_image_is_guided_by_nothing() -> None:
    house = House()
    [picture] = house.studio.generate(text(), silent, never)
    assert picture.edges is None
    assert house.pipeline.drawn == [(0, None)]


def test_picture_that_did_not_fit_is_made_again_a_tier_lower_and_says_so() -> None:
    house = House()
    fell: list[str] = []

    def fall(tier: str) -> str:
        assert not house.held
        fell.append(tier)
        return "It fell."

    def full_at_first(step: int) -> None:
        if step == 3 and not fell:
            raise DeviceFull("resident")

    house.pipeline.before_step = full_at_first
    house.pipeline.notices = ("It was mended.",)
    made = list(Studio(FAMILY, house.lease, fall).generate(text(images=2), silent, never))
    assert fell == ["resident"]
    assert [picture.notices for picture in made] == [("It fell.", "It was mended."), ("It was mended.",)]
    assert [picture.settings["seed"] for picture in made] == [0, 1]


def test_picture_that_fits_nowhere_is_a_sentence_and_the_next_request_works() -> None:
    house = House()

    def full(step: int) -> None:
        raise DeviceFull("sequential")

    house.pipeline.before_step = full
    with pytest.raises(DemoError, match="too little memory"):
        list(house.studio.generate(text(), silent, never))
    assert not house.held
    house.pipeline.before_step = lambda step: None
    assert list(house.studio.generate(text(), silent, never))
