from __future__ import annotations

import torch

from dmd2_demo.device.cuda_driver import cuda_device_name


def test_the_drivers_name_is_torchs_and_none_where_there_is_no_gpu() -> None:
    expected = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    assert cuda_device_name() == expected
