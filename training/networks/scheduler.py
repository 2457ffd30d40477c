"""The noise schedule that all of the family shares."""

from __future__ import annotations

from diffusers import EulerDiscreteScheduler


def make_scheduler() -> EulerDiscreteScheduler:
    """SDXL's noise schedule; trailing spacing, so that sampling starts at the noisiest step."""
    return EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing"
    )
