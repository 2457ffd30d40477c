"""Whether PyTorch computes on the GPU that the driver names.

It is tried in a process of its own: the page needs no torch to open, and a driver that crashes or hangs takes nothing
with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dmd2_demo.device.cuda_driver import cuda_device_name

_PATIENCE = 120.0  # seconds for importing torch from a slow disk and starting the GPU


@dataclass(frozen=True)
class Gpu:
    """`trouble` says why PyTorch can't compute on it and what may help, as a clause; None where it can."""

    name: str
    trouble: str | None = None

    @property
    def sentence(self) -> str:
        """For operator and visitors, where there is trouble."""
        return f"{self.name} can't be used: {self.trouble}."


def find_gpu(
    name_of: Callable[[], str | None] = cuda_device_name, trouble: Callable[[], str | None] | None = None
) -> Gpu | None:
    """The first GPU of the machine, tried; None where the driver names none."""
    name = name_of()
    return Gpu(name, (trouble or probed)()) if name else None


def probed(command: tuple[str, ...] = ("-m", "dmd2_demo.device.cuda_probe"), patience: float = _PATIENCE) -> str | None:
    """What the other process found, or how it ended."""
    try:
        ended = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, *command],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
        trouble = json.loads(ended.stdout.splitlines()[-1])["trouble"]
    except subprocess.TimeoutExpired:
        return f"it did not answer in {patience:g} seconds, and restarting the machine may help"
    except (ValueError, LookupError, TypeError):
        return f"PyTorch ended as it used it (exit code {ended.returncode}), and a newer driver may help"
    return None if trouble is None else str(trouble)


def compute() -> str | None:
    """Makes a small computation there and compares it with the CPU's. Imports torch."""
    import torch  # noqa: PLC0415 - only in the process that tries
    from torch.nn import functional  # noqa: PLC0415

    if torch.version.cuda is None and torch.version.hip is None:
        return f"PyTorch {torch.__version__} has no CUDA, and `pip install -r requirements.txt` brings one that has"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if not torch.cuda.is_available():
            reason = _first_line(str(told[-1].message)) if told else "PyTorch does not find it"
            return f"{reason}, and a newer driver may help"
        generator = torch.Generator().manual_seed(0)
        image = torch.randn(1, 64, 16, 16, generator=generator)
        kernel = torch.randn(64, 64, 3, 3, generator=generator).div(24)
        try:
            found = functional.conv2d(image.cuda(), kernel.cuda())
            found = (found.flatten(2) @ found.flatten(2).mT).cpu()
        except torch.OutOfMemoryError:
            return "its memory is full, and ending what else uses it helps"
        except (RuntimeError, AssertionError) as error:
            if "no kernel image" in str(error):
                return f"PyTorch {torch.__version__} has no kernels for it, and another build of PyTorch may have"
            return f"{_first_line(str(error))}, and a newer driver may help"
    expected = functional.conv2d(image, kernel)
    expected = expected.flatten(2) @ expected.flatten(2).mT
    return None if torch.allclose(found, expected, rtol=0.05, atol=1.0) else "it computes wrong results"


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].partition(". ")[0].rstrip(".:")[:200] if lines else "PyTorch does not say why"


if __name__ == "__main__":
    print(json.dumps({"trouble": compute()}))
