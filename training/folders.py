"""Where training reads and writes."""

from __future__ import annotations

from pathlib import Path

FAMILY = Path(__file__).parent.parent / "dmd2_demo" / "embedded"
NODE_MODULES = Path(__file__).parent / "node_modules"
WORK = Path(__file__).parent / "work"  # checkpoints and caches, none of which the page needs
FIRST_VAE, PLAIN_VAE = (
    WORK / "vae-first",
    WORK / "vae-plain",
)  # before the decoder's first lesson, and before its second
