"""The page as on ZeroGPU, with the real `spaces` package, but that a fork gets this machine's CPU for a GPU.

Run as a program by tests/page/test_zero_gpu_page.py. What is replaced is what needs CUDA: its start in a fork, and
taking the tensors there.
"""

from __future__ import annotations

import sys

from dmd2_demo import open_page, process
from dmd2_demo.generate import zero_gpu
from dmd2_demo.settings import Settings

if __name__ == "__main__":
    process.prepare()
    zero_gpu.active()  # imports it before torch, as on a Space
    import torch
    from spaces.zero import torch as lent

    from dmd2_demo.device.attention import Attention
    from dmd2_demo.device.memory import Memory
    from dmd2_demo.device.placement import Placement

    def on_cpu() -> Placement:
        cpu = torch.device("cpu")
        return Placement(cpu, torch.float32, Attention("sdpa"), Memory(cpu, "resident", tiers=("resident",)))

    lent.init = lent.move = lambda *_, **__: None
    zero_gpu._choose = on_cpu
    open_page.run(Settings.read(sys.argv[1:]))
