"""Whether OpenVINO computes the blocks of SDXL's UNet faster than PyTorch on this CPU, at 512 x 512.

OMP_NUM_THREADS=1 python -m bench.openvino_blocks [--seconds 40]

OpenVINO is no requirement: `pip install openvino`. Weights are random. What is shown is processor time of one thread,
the least of the runs within those seconds, which take turns: on a busy machine that says more than a clock.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import torch
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import nn

_LEVELS = ((320, 64, 0), (640, 32, 2), (1280, 16, 2))  # channels, side of the latents, transformer blocks


class Level(nn.Module):
    """A resnet block and, where there are any, transformer blocks, as a level of the UNet has them."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.resnet = ResnetBlock2D(in_channels=channels, out_channels=channels, temb_channels=1280)
        heads = {"num_attention_heads": channels // 64, "attention_head_dim": 64, "in_channels": channels}
        more = {"num_layers": blocks, "cross_attention_dim": 2048, "use_linear_projection": True}
        self.transformer = Transformer2DModel(**heads, **more) if blocks else None

    def forward(self, image: torch.Tensor, time_embedding: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        image = self.resnet(image, time_embedding)
        if self.transformer is None:
            return image
        found: torch.Tensor = self.transformer(image, encoder_hidden_states=text, return_dict=False)[0]
        return found


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40, help="for each level (default 40)")
    seconds = parser.parse_args().seconds
    openvino = import_module("openvino")
    print(f"OpenVINO {openvino.__version__}, torch {torch.__version__}, {torch.get_num_threads()} thread(s)\n")
    print("| channels, side, transformer blocks | with | processor time | relative error |\n|---|---|---|---|")
    torch.manual_seed(0)
    for channels, side, blocks in _LEVELS:
        inputs = torch.randn(1, channels, side, side), torch.randn(1, 1280), torch.randn(1, 77, 2048)
        level = Level(channels, blocks).eval().requires_grad_(False)
        runs = _runs(openvino, level, inputs)
        right = level(*inputs)
        for name, taken in _least(runs, seconds).items():
            error = float((runs[name]() - right).norm() / right.norm())
            print(f"| {channels}, {side}, {blocks} | {name} | {taken * 1e3:.0f} ms | {error:.0e} |", flush=True)


def _runs(openvino: Any, level: nn.Module, inputs: tuple[torch.Tensor, ...]) -> dict[str, Callable[[], torch.Tensor]]:
    half = copy.deepcopy(level).bfloat16()
    inputs_in_half = tuple(one.bfloat16() for one in inputs)
    runs: dict[str, Callable[[], torch.Tensor]] = {
        "PyTorch, float32": lambda: level(*inputs),
        "PyTorch, bfloat16": lambda: half(*inputs_in_half).float(),
    }
    converted, arrays = openvino.convert_model(level, example_input=inputs), [one.numpy() for one in inputs]
    for name, hint in (("float32", "f32"), ("bfloat16", "bf16")):
        how = {"INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        asked = openvino.Core().compile_model(converted, "CPU", how).create_infer_request()
        runs[f"OpenVINO, {name}"] = partial(_inferred, asked, arrays)
    return runs


def _inferred(asked: Any, arrays: list[Any]) -> torch.Tensor:
    return torch.from_numpy(asked.infer(arrays)[0])


def _least(runs: dict[str, Callable[[], torch.Tensor]], seconds: float) -> dict[str, float]:
    least: dict[str, float] = {}
    for run in runs.values():
        run()  # the first time prepares
    started = time.monotonic()
    while not least or time.monotonic() - started < seconds:
        for name, run in runs.items():
            before = time.process_time()
            run()
            least[name] = min(least.get(name, float("inf")), time.process_time() - before)
    return least


if __name__ == "__main__":
    main()
