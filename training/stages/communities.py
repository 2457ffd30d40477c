"""Fine-tunes the base to one style, as community checkpoints are, and writes it the way they are passed around.

python -m training.stages.communities fluent     a diffusers folder
python -m training.stages.communities twemoji    one file in the original SDXL key format
"""

from __future__ import annotations

import argparse
from typing import Any

import torch

from training.data.latents import Latents
from training.diffusion.noise import Noise
from training.diffusion.prediction import denoising_loss
from training.family import export
from training.family.members import COMMUNITY, load_text, load_unet, load_vae
from training.loop import parallel
from training.loop.run import Run, arguments, average, cosine
from training.words import unstyled_caption

SINGLE_FILE = ("twemoji",)
COMMUNITIES = ("fluent", "twemoji")
BATCH = 32


def train(options: Any) -> None:
    """Trains the UNet on one style's art; a caption without a style word then means that style."""
    device = torch.device(options.device)
    text, noise, latents = load_text(device), Noise(device), Latents(device, options.style)
    unet = load_unet(device).requires_grad_(True)
    averaged = average(unet, 0.99)
    optimizer = torch.optim.AdamW(unet.parameters(), lr=2e-4, weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    schedule = cosine(optimizer, options.steps, warm_up=30)
    parts = {"unet": unet, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    run = Run(f"community-{options.style}", options.steps, parts)
    for step in run:
        batch = latents.batch(BATCH // parallel.size(), unstyled_caption)
        error = denoising_loss(unet, noise, batch.latents, text(batch.captions, batch.size))
        parallel.descend(optimizer, error, list(unet.parameters()))
        schedule.step()
        averaged.update_parameters(unet)
        if step % 10 == 0:
            run.report(loss=float(error.detach()))
    if parallel.rank() == 0:
        write(options.style, averaged.module)


def write(style: str, unet: Any) -> None:
    """Writes `unet` with the base's other parts as the community base `style`."""
    text, vae = load_text(torch.device("cpu")), load_vae(torch.device("cpu"))
    folder = COMMUNITY / style
    if style in SINGLE_FILE:
        export.save_single_file(folder / f"{style}.safetensors", unet, vae, text)
    else:
        export.save_family(folder, unet, text)
        export.save(vae, folder / "vae")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("style", choices=COMMUNITIES)


if __name__ == "__main__":
    parallel.launch(train, arguments(__doc__, steps=1200, extend=_options))
