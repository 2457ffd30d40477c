"""A UNet's weights at random in a file of its true size."""

from __future__ import annotations

from pathlib import Path

from bench import random_weights
from dmd2_demo.weights.modules import unet_without_weights


def write_unet(config: Path, path: Path) -> int:
    """Writes half-precision weights of `config`'s shapes as `.safetensors`. Returns the file's bytes."""
    unet = unet_without_weights(config)
    return random_weights.write({name: tuple(weight.shape) for name, weight in unet.state_dict().items()}, path)
