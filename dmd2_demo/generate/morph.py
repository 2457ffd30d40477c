"""From one picture to another in small steps, and the file that plays them to and fro."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from dmd2_demo.generate.between import Between
from dmd2_demo.generate.metadata import formats
from dmd2_demo.generate.picture import Picture
from dmd2_demo.generate.requests import TextToImage
from dmd2_demo.generate.studio import Studio
from dmd2_demo.progress import Report, part_of

FRAMES = 17
_NEAREST = 1 / 512  # of the way: where pictures jump, more of them would not help
_MILLISECONDS, _PAUSE = 80, 640  # of a frame, and of the first and the last


@dataclass(frozen=True)
class Morph:
    """From `first`'s picture to `last`'s, both of one step."""

    first: TextToImage
    last: TextToImage

    @classmethod
    def of(cls, first: TextToImage, last: TextToImage) -> Morph:
        """DemoError where there is no way from the one to the other."""
        one = cls(replace(first, steps=1, images=1), replace(last, steps=1, images=1))
        one.at(0)
        return one

    def at(self, share: float) -> Between:
        """The request of the picture at that share of the way."""
        own = {field.name: getattr(self.first, field.name) for field in fields(self.first) if field.init}
        return Between(**own, other=self.last, share=share)

    def understood(self, studio: Studio) -> Morph:
        """With the last one's prompt in the family's own words, as the studio has the first one's."""
        read = studio.understood(self.last)
        return replace(self, last=replace(self.last, prompt=read.prompt)) if read.taken else self

    def make(
        self, studio: Studio, report: Report, cancelled: Callable[[], bool], visitor: str = ""
    ) -> Iterator[list[Picture]]:
        """All pictures so far in their order, after each that was made; otherwise as Studio.generate.

        The ends come first, and then always one in the middle of the widest step: the steps come out as even as the
        model lets them.
        """
        found, known = dict[float, Picture](), self.understood(studio)
        while len(found) < FRAMES:
            share = _next(found)
            if share is None:
                return
            tell = part_of(report, "Picture", len(found), FRAMES)
            found[share] = next(studio.generate(known.at(share), tell, cancelled, visitor))
            yield [found[share] for share in sorted(found)]


def steps_of(pictures: Sequence[Picture]) -> list[float]:
    """How far each picture is from the one before: the mean difference of their pixels, of 255."""
    pixels = [np.asarray(picture.image, np.int16) for picture in pictures]
    return [float(np.abs(one - other).mean()) for one, other in pairwise(pixels)]


def save(pictures: Sequence[Picture], folder: Path) -> Path:
    """A lossless WebP that plays to the end and back for ever, with the first one's parameters and all shares."""
    first, *_, last = pictures
    shares = [picture.parameters["morph"]["share"] for picture in pictures]
    told: dict[str, Any] = {"to": last.parameters["morph"]["to"], "shares": shares}
    file_format = formats.named("webp-lossless")
    frames = [picture.image for picture in (*pictures, *pictures[-2:0:-1])]
    durations = [_PAUSE if frame in (first.image, last.image) else _MILLISECONDS for frame in frames]
    path = folder / f"morph-{first.parameters['seed']}{file_format.suffix}"
    frames[0].save(
        path,
        file_format.pillow,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        **file_format.with_settings(first.parameters | {"morph": told}),
    )
    return path


def _next(found: dict[float, Picture]) -> float | None:
    """The share of the next picture; None where no step can be parted any more."""
    for end in (0.0, 1.0):
        if end not in found:
            return end
    shares = sorted(found)
    steps = zip(steps_of([found[share] for share in shares]), pairwise(shares), strict=True)
    wide = [(step, one, other) for step, (one, other) in steps if other - one > _NEAREST and step > 0]
    if not wide:
        return None
    _, one, other = max(wide)
    return (one + other) / 2
