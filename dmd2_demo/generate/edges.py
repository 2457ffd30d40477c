"""A picture's edges as the adapter wants them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

# Of all pixels of a map, those of a small but whole drawing, and those that leave no lines but areas.
_FEWEST, _MOST = 0.001, 0.3
# From 0 to 255, what an adapter takes for a line.
_LINE = 64


@dataclass(frozen=True)
class EdgeMap:
    """White edges on black, RGB, and sentences about what a visitor should know of them."""

    image: Image.Image
    notices: tuple[str, ...] = ()


def canny_map(
    image: Image.Image, size: tuple[int, int], low_threshold: int, high_threshold: int, detect_resolution: int
) -> EdgeMap:
    """The edges found in a picture, of exactly `size` (width, height).

    `image` (RGB) is cropped around its middle to the aspect of `size`. Edges are found with the short side
    at `detect_resolution` pixels: SDXL's adapter was trained on coarse maps, and the model card does the same.
    """
    middle = np.asarray(cropped(image, size))
    edges = detector()(
        middle,
        low_threshold=min(low_threshold, high_threshold),
        high_threshold=max(low_threshold, high_threshold),
        detect_resolution=detect_resolution,
        image_resolution=min(size),
    )
    # The detector rounds sides to multiples of 64; where that is not `size`, this is the last step to it.
    found = _resize(Image.fromarray(edges), size)
    return EdgeMap(found, _amount(found, few="Lower thresholds find more.", many="Higher thresholds find fewer."))


def detector() -> Any:
    """controlnet_aux's CannyDetector, imported on first use: it brings every other detector with it, for seconds."""
    with warnings.catch_warnings():
        # Each detector warns of what it lacks; none but canny is used.
        warnings.simplefilter("ignore")
        from controlnet_aux.canny import CannyDetector  # noqa: PLC0415
    return CannyDetector()


def ready_map(image: Image.Image, size: tuple[int, int]) -> EdgeMap:
    """`image` (RGB), which is an edge map already, cropped to the aspect of `size` and scaled to it.

    Dark lines on a light ground, as on paper, are turned over.
    """
    ready = _resize(cropped(image, size), size)
    turned = bool(_grey(ready).mean() > 127.5)
    if turned:
        ready = _turned_over(ready)
    told = ("The edge map was dark on light, so it was turned over: an adapter takes white lines on black.",)
    hint = "Untick “The picture is an edge map already” if it is an ordinary picture."
    return EdgeMap(ready, (*(told if turned else ()), *_amount(ready, few=hint, many=hint)))


def _turned_over(drawing: Image.Image) -> Image.Image:
    """White on black, where `drawing` has a light ground, which may be any shade that paper has."""
    grey = _grey(drawing).astype(float)
    paper = max(float(np.median(grey)), 1.0)
    return Image.fromarray(((1 - grey / paper).clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")


def _amount(edges: Image.Image, few: str, many: str) -> tuple[str, ...]:
    """What to say where there are too few or too many lines to guide by, with what helps against it."""
    share = float((_grey(edges) > _LINE).mean())
    if share < _FEWEST:
        return (f"There are hardly any edges to follow, so the prompt alone decides. {few}",)
    if share > _MOST:
        return (f"The edge map is full of white: there are hardly any lines to follow in it. {many}",)
    return ()


def _grey(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image.convert("L"))


def cropped(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The largest middle part of `image` with the aspect of `size`, at least one pixel each way."""
    ratio = min(image.width / size[0], image.height / size[1])
    box = (max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio)))
    return image if box == image.size else ImageOps.fit(image, box)


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)
