from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from threading import Event
from typing import Any, cast

import pytest
from PIL import Image

from dmd2_demo.cluster.link import Link
from dmd2_demo.cluster.studio import GONE, LOST, ClusterStudio
from dmd2_demo.cluster.words import Ask, Gone, Lost, Made, ReplicaStatus, Word
from dmd2_demo.errors import Cancelled, DemoError, Failure
from dmd2_demo.generate.manager import Status
from dmd2_demo.generate.metadata import formats
from dmd2_demo.progress import Progress, silent
from tests.embedded import FAMILY, text

UNET = text().spec().unet


def made(colour: int = 7, replica: str = "a") -> Made:
    file = BytesIO()
    Image.new("RGB", (16, 16), (colour, 0, 0)).save(file, "PNG")
    now = Status(((UNET, 10),), leases=2, loading=(("UNet", 4, 1.5),), busy=0.25)
    status = ReplicaStatus(replica, now)
    return Made(file.getvalue(), {"seed": colour}, 0.5, ("a notice",), status)


class FakeLink:
    """Answers each ask with the next of `answers`. `asked` and `closed` are what was asked and stopped."""

    def __init__(self, *answers: list[Word]) -> None:
        self.answers = list(answers)
        self.asked: list[Ask] = []
        self.closed = self.begun = 0
        self.ended: float | None = None
        self.replicas = 1

    def ask(self, ask: Ask) -> FakeCall:
        self.asked.append(ask)
        return FakeCall(self, iter(self.answers.pop(0)))

    def again(self) -> FakeLink:
        self.begun += 1
        self.ended = None
        return self


class FakeCall:
    def __init__(self, link: FakeLink, words: Iterator[Word]) -> None:
        self._link, self._words = link, words

    def next(self, seconds: float) -> Word | None:
        return next(self._words, None)

    def close(self) -> None:
        self._link.closed += 1


def studio(link: FakeLink) -> ClusterStudio:
    return ClusterStudio(FAMILY, cast("Link", link))


def never() -> bool:
    return False


def test_steps_are_told_and_the_picture_is_the_very_file() -> None:
    link = FakeLink([Progress("Step 1 of 1", 1.0), made()])
    told: list[Progress] = []
    (picture,) = studio(link).generate(text(steps=1), told.append, never, "somebody", yields=True)
    assert told == [Progress("Step 1 of 1", 1.0)]
    assert picture.image.getpixel((0, 0)) == (7, 0, 0)
    assert picture.encoded(formats.PNG, settings_inside=True) == made().file
    assert picture.encoded(formats.PNG, settings_inside=False) != made().file
    # A sheet's cells are told more than their replicas knew.
    more = replace(picture, parameters=text().parameters() | {"prompt_template": "a {fox|cat}"})
    assert b"prompt_template" in more.encoded(formats.PNG, settings_inside=True)
    assert (picture.parameters, picture.seconds, picture.notices) == ({"seed": 7}, 0.5, ("a notice",))
    assert (link.asked[0].visitor, link.asked[0].yields, link.closed) == ("somebody", True, 1)


def test_each_picture_is_asked_for_alone() -> None:
    link = FakeLink([made(1)], [made(2)], [made(3)])
    pictures = list(studio(link).generate(text(images=3), silent, never))
    assert [ask.picture for ask in link.asked] == [0, 1, 2]
    assert [picture.parameters["seed"] for picture in pictures] == [1, 2, 3]


def test_a_picture_of_a_lost_replica_is_asked_for_once_more() -> None:
    link = FakeLink([Progress("Step 1 of 4"), Lost(begun=True)], [made()])
    assert list(studio(link).generate(text(), silent, never))
    assert link.asked[0] == link.asked[1]

    link = FakeLink([Lost(begun=True)], [Lost(begun=True)])
    with pytest.raises(DemoError) as raised:
        list(studio(link).generate(text(), silent, never))
    assert str(raised.value) == LOST


def test_one_that_was_not_begun_is_asked_for_until_a_replica_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    lost: list[Word] = [Lost(begun=False)]
    link = FakeLink(*[lost] * 5, [made()])
    assert list(studio(link).generate(text(), silent, never))
    assert len(waited) == 5


@pytest.mark.parametrize(
    ("word", "error", "sentence"),
    [
        (Failure("The model's numbers overflowed."), DemoError, "The model's numbers overflowed."),
        (Failure(None), RuntimeError, "in the replica"),
        (Gone("the head died"), DemoError, GONE),
    ],
)
def test_what_went_wrong_there_is_said_here(word: Word, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        list(studio(FakeLink([word])).generate(text(), silent, never))


def test_stop_ends_the_call_whether_it_says_something_or_not() -> None:
    def stops_after(looks: int) -> Callable[[], bool]:
        left = [False] * looks
        return lambda: not left or left.pop()

    for words in ([], [Progress(f"Step {step}") for step in range(9)]):
        link = FakeLink(cast("list[Word]", words))
        with pytest.raises(Cancelled):
            list(studio(link).generate(text(), silent, stops_after(3)))
        assert link.closed == 1


def test_silence_is_explained_once() -> None:
    link = FakeLink([*[cast("Any", None)] * 100, made()])
    told: list[Progress] = []
    list(studio(link).generate(text(), told.append, never))
    assert told == [Progress("Waiting for the cluster")]


def test_a_link_that_ended_is_begun_anew() -> None:
    link = FakeLink([made()])
    link.ended = time.monotonic()
    assert list(studio(link).generate(text(), silent, never))
    assert link.begun == 1


def test_who_waits_while_the_head_is_lost_is_told_so_and_does_not_try_it_too() -> None:
    link = FakeLink([made()])
    with_pictures = studio(link)
    waits, ended = Event(), Event()

    def told(progress: Progress) -> None:
        waits.set()
        ended.wait(30)

    link.replicas = 0  # so there is one place
    with ThreadPoolExecutor() as pool:
        with with_pictures._line.turn("somebody"):
            waiting = pool.submit(lambda: list(with_pictures.generate(text(), told, never, "another")))
            assert waits.wait(30)
            link.ended = time.monotonic()
            ended.set()
        with pytest.raises(DemoError, match="can't be reached"):
            waiting.result(30)
    assert link.begun == 0
    assert list(with_pictures.generate(text(), silent, never))
    assert link.begun == 1


def test_status_is_what_replicas_last_told() -> None:
    link = FakeLink([made()])
    with_pictures = studio(link)
    nothing = {"resident": [], "loads": 0, "leases": 0, "loading": [], "busy_seconds": 0}
    assert with_pictures.status() == {"replicas": 1} | nothing
    list(with_pictures.generate(text(), silent, never))
    assert with_pictures.status() == {
        "replicas": 1,
        "resident": [{"part": "UNet", "from": UNET.origin, "bytes": 10}],
        "loads": 4,
        "leases": 2,
        "loading": [{"part": "UNet", "count": 4, "seconds": 1.5}],
        "busy_seconds": 0.25,
    }


def test_status_counts_what_replaced_replicas_did_and_nothing_that_they_had() -> None:
    words: list[list[Word]] = [[made(replica=name)] for name in "abcb"]
    link = FakeLink(*words)
    link.replicas = 2
    with_pictures = studio(link)
    for leases, loaded in ((2, 1), (4, 2), (6, 2), (6, 2)):
        list(with_pictures.generate(text(), silent, never))
        now = with_pictures.status()
        assert (now["leases"], len(now["resident"])) == (leases, loaded)
    link.replicas = 0
    now = with_pictures.status()
    assert (now["leases"], now["resident"]) == (6, [])
