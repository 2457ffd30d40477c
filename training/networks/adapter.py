"""An untrained canny adapter."""

from __future__ import annotations

from diffusers import T2IAdapter


def make_adapter() -> T2IAdapter:
    """Untrained: a feature map for each of the UNet's resolutions and one for its middle."""
    return T2IAdapter(
        in_channels=3, channels=[64, 80, 80, 80], num_res_blocks=6, downscale_factor=16, adapter_type="full_adapter_xl"
    )
