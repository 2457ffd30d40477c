"""A member moved to another base."""

from __future__ import annotations

import torch

from training.stages.task_vector import carried


def test_a_member_keeps_its_change() -> None:
    before, now, change = torch.randn(3, 4), torch.randn(3, 4), torch.randn(3, 4)
    made = carried({"weight": before + change}, {"weight": before}, {"weight": now})
    torch.testing.assert_close(made["weight"] - now, change)
