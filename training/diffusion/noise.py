"""The forward process: SDXL's scaled-linear betas, epsilon prediction."""

from __future__ import annotations

import torch

from training.networks.scheduler import make_scheduler


class Noise:
    """Noises latents and turns epsilon into clean predictions. All tensors are (n, ...) with times (n,)."""

    def __init__(self, device: torch.device) -> None:
        self.alphas = make_scheduler().alphas_cumprod.to(device)

    def _of(self, times: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        alpha = self.alphas[times][:, None, None, None]
        return alpha.sqrt(), (1 - alpha).sqrt()

    def add(self, clean: torch.Tensor, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """`clean` at `times`."""
        signal, spread = self._of(times)
        return signal * clean + spread * noise

    def clean(self, noisy: torch.Tensor, epsilon: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """The clean latents that `epsilon` implies."""
        signal, spread = self._of(times)
        return (noisy - spread * epsilon) / signal

    def epsilon(self, noisy: torch.Tensor, clean: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """The noise in `noisy` if `clean` is what it hides."""
        signal, spread = self._of(times)
        return (noisy - signal * clean) / spread

    def ratio(self, times: torch.Tensor) -> torch.Tensor:
        """Signal over noise, (n, 1, 1, 1): how much of an epsilon error a clean prediction feels, inverted."""
        signal, spread = self._of(times)
        return signal / spread

    def min_snr(self, times: torch.Tensor, most: float = 5.0) -> torch.Tensor:
        """The weight of an epsilon error, min-SNR (arXiv 2303.09556)."""
        ratio = self.alphas[times] / (1 - self.alphas[times])
        return ratio.clamp(max=most) / ratio
