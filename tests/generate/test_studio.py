from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dmd2_demo.errors import Cancelled, DemoError, DeviceFull
from dmd2_demo.generate.requests import CannyGuided, TextToImage
from dmd2_demo.generate.studio import Studio
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.progress import Progress, Report, silent
from tests.fakes import FAMILY, FakedStudio, FakePipeline


def text(**changes: Any) -> TextToImage:
    values: dict[str, Any] = {"family": FAMILY, "prompt": "a cat", "seed": 0, "width": 64, "height": 64}
    return TextToImage(**(values | changes))


def never() -> bool:
    return False


def test_each_picture_is_made_from_its_own_seed_and_knows_it() -> None:
    setup = FakedStudio()
    request = text(seed=5, images=3)
    made = list(setup.studio.generate(request, silent, never))
    assert [seed for seed, _ in setup.pipeline.drawn] == [5, 6, 7]
    assert [picture.parameters for picture in made] == [request.parameters(i) | {"weights": []} for i in range(3)]
    assert [picture.image.getpixel((0, 0)) for picture in made] == [(5, 0, 0), (6, 0, 0), (7, 0, 0)]
    assert all(picture.seconds >= 0 for picture in made)


def test_pictures_arrive_one_by_one_and_nobody_holds_the_device_meanwhile() -> None:
    setup = FakedStudio()
    pictures = setup.studio.generate(text(images=3), silent, never)
    for made, _ in enumerate(pictures, start=1):
        assert len(setup.pipeline.drawn) == len(setup.leases) == made
        assert not setup.held


def test_each_step_of_each_picture_moves_the_progress() -> None:
    told: list[Progress] = []
    list(FakedStudio().studio.generate(text(images=2), told.append, never))
    assert [progress.fraction for progress in told] == [step / 8 for step in range(1, 9)]
    assert told[0].sentence == "Picture 1 of 2, step 1 of 4"
    list(FakedStudio().studio.generate(text(steps=1), told.append, never))
    assert told[-1] == Progress("Step 1 of 1", 1)


@pytest.mark.parametrize("stop_at", [1, 3, 6])
def test_stop_ends_within_one_step_and_frees_the_device(stop_at: int) -> None:
    setup = FakedStudio()
    steps: list[int] = []
    setup.pipeline.before_step = steps.append
    made = []
    with pytest.raises(Cancelled):
        made += list(setup.studio.generate(text(images=8), silent, lambda: len(steps) >= stop_at))
    assert len(steps) == stop_at
    assert not setup.held
    assert list(setup.studio.generate(text(), silent, never))


def test_stop_ends_a_download_at_its_next_report() -> None:
    reports: list[Progress] = []

    @contextmanager
    def downloads(
        spec: PipelineSpec, report: Report, visitor: str = "", pixels: int = 0, *, yields: bool = False
    ) -> Iterator[FakePipeline]:
        for piece in range(100):
            report(Progress(f"Downloading, piece {piece}"))
        yield FakePipeline()

    studio = Studio(FAMILY, downloads)
    with pytest.raises(Cancelled):
        next(studio.generate(text(), reports.append, lambda: len(reports) == 3))
    assert len(reports) == 3


def test_stop_before_the_start_leases_nothing() -> None:
    setup = FakedStudio()
    with pytest.raises(Cancelled):
        next(setup.studio.generate(text(), silent, lambda: True))
    assert setup.leases == []


def test_stop_between_pictures_makes_no_more() -> None:
    setup = FakedStudio()
    pictures = setup.studio.generate(text(images=8), silent, lambda: bool(setup.pipeline.drawn) and not setup.held)
    next(pictures)
    with pytest.raises(Cancelled):
        next(pictures)
    assert len(setup.leases) == 1


def test_picture_that_fails_frees_the_device_and_the_next_request_works() -> None:
    def fail(step: int) -> None:
        raise DemoError("No.")

    setup = FakedStudio()
    setup.pipeline.before_step = fail
    with pytest.raises(DemoError, match=r"^No\.$"):
        next(setup.studio.generate(text(), silent, never))
    assert not setup.held
    setup.pipeline.before_step = lambda step: None
    assert list(setup.studio.generate(text(), silent, never))


@pytest.mark.parametrize(("unread", "shown"), [("the end", "“the end”"), ("x" * 100, f"“{'x' * 57}...”")])
def test_what_the_model_does_not_read_is_told(unread: str, shown: str) -> None:
    setup = FakedStudio()
    setup.pipeline.unread = unread
    [picture] = setup.studio.generate(text(), silent, never)
    assert picture.notices == (f"The prompt is longer than the model reads; this was left out: {shown}",)


def test_terms_for_loras_in_the_prompt_are_told_to_be_words() -> None:
    [picture] = FakedStudio().studio.generate(text(prompt="a cat <lora:ink:0.8>"), silent, never)
    assert len(picture.notices) == 1
    assert "is read as words here" in picture.notices[0]


def test_words_that_the_family_never_saw_are_told(tmp_path: Path) -> None:
    words = tmp_path / "words.json"
    words.write_text(json.dumps({"things": ["cat"], "styles": [], "colours": [], "templates": ["a"]}))
    [known] = FakedStudio(words).studio.generate(text(), silent, never)
    [unknown] = FakedStudio(words).studio.generate(text(prompt="a zebra"), silent, never)
    assert known.notices == ()
    assert unknown.notices == ("This small family doesn't know: zebra.",)


def test_prompt_whose_own_words_would_be_too_long_is_taken_as_it_is(tmp_path: Path) -> None:
    words = tmp_path / "words.json"
    words.write_text(json.dumps({"things": ["rabbit"], "styles": [], "colours": [], "templates": ["a"]}))
    prompt = "hare " * 1_999 + "hare"
    [picture] = FakedStudio(words).studio.generate(text(prompt=prompt), silent, never)
    assert picture.parameters["prompt"] == prompt
    assert "prompt_understood" not in picture.parameters


def test_canny_is_guided_by_the_very_map_that_was_shown() -> None:
    setup = FakedStudio()
    image = Image.linear_gradient("L").resize((300, 200)).convert("RGB")
    request = CannyGuided(family=FAMILY, prompt="a cat", image=image, images=2, is_edge_map=True)
    found = request.edges()
    assert found
    shown = found.image
    made = list(setup.studio.generate(request, silent, never))
    assert shown.size == request.size
    assert [edges.tobytes() if edges else None for _, edges in setup.pipeline.drawn] == [shown.tobytes()] * 2
    assert all(picture.edges and picture.edges.tobytes() == shown.tobytes() for picture in made)


def test_what_there_is_to_say_of_a_map_is_said_of_the_picture() -> None:
    paper = Image.new("RGB", (128, 128), "white")
    paper.paste((0, 0, 0), (32, 32, 36, 96))
    request = CannyGuided(family=FAMILY, prompt="a cat", image=paper, is_edge_map=True)
    [made] = FakedStudio().studio.generate(request, silent, never)
    assert [notice.partition(",")[0] for notice in made.notices] == ["The edge map was dark on light"]


def test_text_to_image_is_guided_by_nothing() -> None:
    setup = FakedStudio()
    [picture] = setup.studio.generate(text(), silent, never)
    assert picture.edges is None
    assert setup.pipeline.drawn == [(0, None)]


def test_picture_that_did_not_fit_is_made_again_a_tier_lower_and_says_so() -> None:
    setup = FakedStudio()
    fell: list[str] = []

    def fall(tier: str) -> str:
        assert not setup.held
        fell.append(tier)
        return "It fell."

    def full_at_first(step: int) -> None:
        if step == 3 and not fell:
            raise DeviceFull("resident")

    setup.pipeline.before_step = full_at_first
    setup.pipeline.notices = ("It was mended.",)
    made = list(Studio(FAMILY, setup.lease, fall).generate(text(images=2), silent, never))
    assert fell == ["resident"]
    assert [picture.notices for picture in made] == [("It fell.", "It was mended."), ("It was mended.",)]
    assert [picture.parameters["seed"] for picture in made] == [0, 1]


def test_picture_that_fits_nowhere_is_a_sentence_and_the_next_request_works() -> None:
    setup = FakedStudio()

    def full(step: int) -> None:
        raise DeviceFull("sequential")

    setup.pipeline.before_step = full
    with pytest.raises(DemoError, match="too little memory"):
        list(setup.studio.generate(text(), silent, never))
    assert not setup.held
    setup.pipeline.before_step = lambda step: None
    assert list(setup.studio.generate(text(), silent, never))


def test_choices_are_made_prompt_by_prompt_from_the_same_seeds() -> None:
    setup = FakedStudio()
    told: list[Progress] = []
    request = text(prompt="a {cat|dog}", seed=5, images=2)
    made = list(setup.studio.generate(request, told.append, never))
    assert [seed for seed, _ in setup.pipeline.drawn] == [5, 6, 5, 6]
    assert [picture.parameters["prompt"] for picture in made] == ["a cat", "a cat", "a dog", "a dog"]
    assert {picture.parameters["prompt_template"] for picture in made} == {"a {cat|dog}"}
    assert [progress.fraction for progress in told] == [step / 16 for step in range(1, 17)]
    assert told[-1].sentence == "Picture 4 of 4, step 4 of 4"


@pytest.mark.parametrize(
    ("prompt", "plain", "unknown"),
    [
        ("a (cat:1.2) BREAK [a] {cat|a}", False, None),
        (r"\{a\} {a zebra|cat}", False, "zebra"),
        ("(a:1.2) BREAK cat", True, "1, 2, break"),
    ],
)
def test_marks_are_no_words_that_the_family_does_not_know(
    tmp_path: Path, prompt: str, plain: bool, unknown: str | None
) -> None:
    words = tmp_path / "words.json"
    words.write_text(json.dumps({"things": ["cat"], "styles": [], "colours": [], "templates": ["a"]}))
    made = next(FakedStudio(words).studio.generate(text(prompt=prompt, plain_prompt=plain), silent, never))
    assert made.notices == ((f"This small family doesn't know: {unknown}.",) if unknown else ())
