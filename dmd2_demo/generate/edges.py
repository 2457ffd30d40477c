"""A picture's edges as the adapter wants them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from PIL import Image, ImageOps


def canny_map(
    image: Image.Image, size: tuple[int, int], low_threshold: int, high_threshold: int, detect_resolution: int
) -> Image.Image:
    """White edges on black, RGB, of exactly `size` (width, height).

    `image` (RGB) is cropped around its middle to the aspect of `size`. Edges are found with the short side
    at `detect_resolution` pixels: SDXL's adapter was trained on coarse maps, and the model card does the same.
    """
    cropped = np.asarray(_crop(image, size))
    edges = detector()(
        cropped,
        low_threshold=min(low_threshold, high_threshold),
        high_threshold=max(low_threshold, high_threshold),
        detect_resolution=detect_resolution,
        image_resolution=min(size),
    )
    # The detector rounds sides to multiples of 64; where that is not `size`, this is the last step to it.
    return _resize(Image.fromarray(edges), size)


def detector() -> Any:
    """controlnet_aux's CannyDetector, imported on first use: it brings every other detector with it, for seconds."""
    with warnings.catch_warnings():
        # Each detector warns of what it lacks; none but canny is used.
        warnings.simplefilter("ignore")
        from controlnet_aux.canny import CannyDetector  # noqa: PLC0415
    return CannyDetector()


def ready_map(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`image` (RGB), which is an edge map already, cropped to the aspect of `size` and scaled to it."""
    return _resize(_crop(image, size), size)


def _crop(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The largest middle part of `image` with the aspect of `size`, at least one pixel each way."""
    ratio = min(image.width / size[0], image.height / size[1])
    box = (max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio)))
    return image if box == image.size else ImageOps.fit(image, box)


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)
