"""Carries the 4-step UNet over to a base that has learned more: it keeps its change from the old base.

python -m training.stages.task_vector    once, after `python -m training.stages.base anywhere`

The 1-step UNet keeps the habits of the first lesson; all else is trained afterwards.
"""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from training.family import export
from training.family.members import FOUR_STEP_UNET, load_unet
from training.stages.base import BEFORE

State = dict[str, torch.Tensor]


def carried(member: State, before: State, now: State) -> State:
    """`member`, made of the base `before`, as if it were made of `now`."""
    return {name: value + now[name] - before[name] for name, value in member.items()}


def main() -> None:
    """Writes it anew, and forgets the old base so that it is not carried twice."""
    device = torch.device("cpu")
    before = {name: value.float() for name, value in load_file(BEFORE).items()}
    now = load_unet(device).state_dict()
    export.save_state(carried(load_unet(device, FOUR_STEP_UNET).state_dict(), before, now), FOUR_STEP_UNET)
    BEFORE.unlink()


if __name__ == "__main__":
    main()
