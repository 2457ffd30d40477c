from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.loop.run import Run, average, cosine


def steps(folder: Path, module: nn.Linear, until: int, of: int = 6) -> list[int]:
    done = []
    for step in Run("stage", of, {"module": module}, seconds=0, folder=folder):
        if step == until:
            break
        with torch.no_grad():
            module.weight += 1
        done.append(step)
    return done


def test_a_cut_run_goes_on_where_it_was(tmp_path: Path) -> None:
    first = nn.Linear(2, 2)
    assert steps(tmp_path, first, until=3) == [0, 1, 2]
    second = nn.Linear(2, 2)
    assert steps(tmp_path, second, until=99) == [3, 4, 5]
    third = nn.Linear(2, 2)
    assert steps(tmp_path, third, until=99) == []
    torch.testing.assert_close(third.weight, second.weight)


def test_an_average_forgets_early_weights() -> None:
    module = nn.Linear(1, 1, bias=False)
    averaged: Any = average(module, 0.9)
    for value in range(200):
        nn.init.constant_(module.weight, float(value > 50))
        averaged.update_parameters(module)
    assert averaged.module.weight.item() > 0.99


def test_a_rate_warms_up_holds_and_falls() -> None:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    schedule = cosine(optimizer, steps=100, warm_up=10, hold=0.5)
    rates = []
    for _ in range(100):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[0] == 0.1
    assert rates[30] == 1.0
    assert rates[99] < 0.02
