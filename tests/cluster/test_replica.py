"""A replica with the embedded family, without Ray around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from dmd2_demo.cluster.replica import Replica
from dmd2_demo.cluster.routing import part_key
from dmd2_demo.cluster.words import Ask, Made, Told
from dmd2_demo.errors import Failure
from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.runtime import build_runtime
from dmd2_demo.models.sources import Folder
from dmd2_demo.progress import Progress, silent
from dmd2_demo.settings import Settings
from tests import own_loop
from tests.embedded import FAMILY, lora, text


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    before = torch.get_num_threads()
    yield Replica(Settings(family="embedded"), "first", has_gpu=False, cpus=1)
    torch.set_num_threads(before)


def ask(request: Request, picture: int = 0) -> Ask:
    return Ask(request, picture, None, "", yields=False)


def told(replica: Replica, asked: Ask, most: int = 100) -> list[Told]:
    """What it says; after so many words nobody listens any more."""

    async def listen() -> list[Told]:
        words: list[Told] = []
        answer = replica.make(asked)
        async for word in answer:
            words.append(word)
            if len(words) == most:
                await answer.aclose()  # type: ignore[attr-defined]
                break
        return words

    return own_loop.run(listen)


def test_it_begins_with_the_common_pipeline_and_as_many_threads_as_it_may(replica: Replica) -> None:
    assert torch.get_num_threads() == 1
    keys = {part_key(part) for part in text().spec().parts()}
    assert set(replica.record_routing_stats()["resident"]) == keys
    assert replica.status().now.loads == len(keys)


def test_it_tells_each_step_and_gives_the_same_file_as_a_studio_here(replica: Replica) -> None:
    request = text(seed=3, images=2, steps=1, file_format="webp-lossless")
    *_, step, made = told(replica, ask(request, 1))
    assert isinstance(step, Progress)
    assert step.sentence == "Picture 2 of 2, step 1 of 1"
    assert isinstance(made, Made)
    here = build_runtime(FAMILY, Settings(), has_gpu=False).studio
    picture = here.one(request, 1, None, silent, lambda: False)
    assert made.parameters == picture.parameters
    assert made.file == picture.encoded(formats.named("webp-lossless"), settings_inside=True)
    assert made.status.name == "first"


def test_it_stops_within_a_step_once_nobody_listens(replica: Replica) -> None:
    leases = replica.status().now.leases
    words = told(replica, ask(text(width=256, height=256, steps=4)), most=1)
    assert [word.sentence for word in words if isinstance(word, Progress)] == ["Step 1 of 4"]
    # The next one has the line for itself again, and nothing of the other was made.
    assert isinstance(told(replica, ask(text(steps=1)))[-1], Made)
    assert replica.status().now.leases == leases + 2


def test_a_sentence_comes_back_as_one_and_a_bug_as_a_bug(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = replace(FAMILY.bases[0], source=Folder(FAMILY.bases[0].source.path / "nowhere"))  # type: ignore[union-attr]
    (failure,) = [word for word in told(replica, ask(lora(base=nowhere))) if isinstance(word, Failure)]
    assert failure.sentence

    monkeypatch.setattr(replica, "_picture", lambda *_: 1 / 0)
    assert told(replica, ask(text())) == [Failure(None)]
    assert "ZeroDivisionError" in caplog.text


def test_one_that_has_no_room_for_the_common_pipeline_says_so_to_who_asks(caplog: pytest.LogCaptureFixture) -> None:
    before = torch.get_num_threads()
    small = Replica(Settings(family="embedded", budget=1_000_000), "small", has_gpu=False, cpus=1)
    torch.set_num_threads(before)
    assert "The first pipeline is not loaded" in caplog.text
    (failure,) = [word for word in told(small, ask(text())) if isinstance(word, Failure)]
    assert "the operator's budget is 1.0 MB" in str(failure.sentence)


def test_one_whose_gpu_fails_for_good_says_so_to_serve() -> None:
    before, fails = torch.get_num_threads(), list[str]()

    def synchronize() -> None:
        for reason in fails:
            raise RuntimeError(reason)

    mine = Replica(Settings(family="embedded"), "mine", has_gpu=True, cpus=1, synchronize=synchronize)
    torch.set_num_threads(before)
    mine._picture = lambda *_: 1 / 0  # type: ignore[method-assign, assignment]
    assert told(mine, ask(text())) == [Failure(None)]
    mine.check_health()
    fails.append("CUDA error: an illegal memory access was encountered")
    assert told(mine, ask(text())) == [Failure(None)]
    with pytest.raises(RuntimeError, match="illegal memory access"):
        mine.check_health()
