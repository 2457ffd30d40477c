"""Canny maps of the very composites whose latents are kept.

python -m training.data.edge_maps
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from PIL import Image

from training.data.composites import BUCKETS
from training.data.latents import Batch, Latents, pictures
from training.folders import WORK
from training.loop.run import save
from training.words import full_caption

THRESHOLDS = (100, 200)
_CACHE = WORK / "edges.pt"


def edge_map(image: Image.Image) -> np.ndarray:
    """What `controlnet_aux.canny.CannyDetector` finds in a picture at its own size: bool, (height, width)."""
    return np.asarray(cv2.Canny(np.asarray(image.convert("RGB")), *THRESHOLDS)) > 0


class EdgeMaps:
    """Random batches of latents with their edge maps."""

    def __init__(self, device: torch.device) -> None:
        self._latents = Latents(device)
        self._maps = _cached()
        self._device = device

    def batch(self, count: int) -> tuple[Batch, torch.Tensor]:
        """A batch, and its maps as the adapter reads them: float, 0 or 1, (n, 3, height, width).

        Its captions leave nothing open: an edge map tells no colour, and the adapter would learn their mean.
        """
        batch = self._latents.batch(count, full_caption)
        width, height = batch.size
        packed = self._maps[batch.size][batch.indices]
        bits = np.unpackbits(packed.numpy(), axis=-1)[..., : width * height].reshape(count, 1, height, width)
        return batch, torch.from_numpy(bits).to(self._device, torch.float32).expand(-1, 3, -1, -1)


def _cached() -> dict[tuple[int, int], torch.Tensor]:
    if not _CACHE.exists():
        made = {
            size: torch.from_numpy(np.stack([np.packbits(edge_map(one.image)) for one in pictures(size)]))
            for size in BUCKETS
        }
        save(made, _CACHE)
    return dict(torch.load(_CACHE, weights_only=True))


if __name__ == "__main__":
    _cached()
