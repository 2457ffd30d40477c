"""Parts put together into diffusers pipelines, and the one way they are called."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from diffusers import StableDiffusionXLAdapterPipeline, StableDiffusionXLPipeline
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from dmd2_demo.device.memory import raising_device_full
from dmd2_demo.errors import Tier
from dmd2_demo.generate.between import Between
from dmd2_demo.generate.decode import decode
from dmd2_demo.generate.encode import encode
from dmd2_demo.generate.mixing import mixed, slerp
from dmd2_demo.generate.picture import Decoded
from dmd2_demo.generate.prompt import embedding
from dmd2_demo.generate.request import Request
from dmd2_demo.models.parts import Part, PipelineSpec
from dmd2_demo.weights.embeddings import KeptEmbeddings
from dmd2_demo.weights.lora import LoadedLora, Mergeable

# DMD2's times are not LCM's, which this logger would warn of at each picture.
logging.getLogger("diffusers.schedulers.scheduling_lcm").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Merging:
    """The networks of a pipeline that carry LoRAs, those that it has, and the UNet's weights without any."""

    unet: Mergeable
    encoders: tuple[Mergeable, Mergeable]
    loras: tuple[LoadedLora, ...] = ()
    pristine: Mapping[str, torch.Tensor] | None = None

    def at(self, scales: Sequence[float]) -> None:
        """Merges each LoRA at its scale, and nothing that another pipeline left."""
        scaled = list(zip(self.loras, scales, strict=True))
        self.unet.merge([(lora.unet, scale) for lora, scale in scaled], self.pristine)
        one, two = self.encoders
        one.merge([(lora.text_encoder, scale) for lora, scale in scaled])
        two.merge([(lora.text_encoder_2, scale) for lora, scale in scaled])


@dataclass(frozen=True)
class Pipeline:
    """A diffusers pipeline over resident modules, which it shares with others.

    `tier` is how the modules were placed.
    """

    diffusers: StableDiffusionXLPipeline | StableDiffusionXLAdapterPipeline
    embeddings: KeptEmbeddings
    merging: Merging
    tier: Tier = "resident"

    def run(self, request: Request, seed: int, edges: Image.Image | None, on_step: Callable[[int], None]) -> Decoded:
        """One picture, as the model card makes it: the schedule's own timesteps, guidance 0, noise from the CPU.

        The request is for one alone, `edges` are its own. `on_step` is called with the number of steps done; what it
        raises ends the picture. Raises DeviceFull where the device's memory is.
        """
        with raising_device_full(self.tier):
            return self._run(request, seed, edges, on_step)

    def _run(self, request: Request, seed: int, edges: Image.Image | None, on_step: Callable[[int], None]) -> Decoded:
        self.merging.at(request.lora_scales())
        width, height = request.size
        timesteps = list(request.schedule.timesteps)
        generator = torch.Generator("cpu").manual_seed(seed)
        embedded = self._embedded(request)
        start = None if request.start is None else self._noised(request.start, timesteps[0], generator)
        if isinstance(request, Between):
            embedded, start = self._mixed(request, embedded, generator)
        with _after_each_step(self.diffusers.unet, on_step):
            output = self.diffusers(
                **embedded,
                width=width,
                height=height,
                num_inference_steps=len(timesteps),
                timesteps=timesteps,
                guidance_scale=0,
                generator=generator,
                latents=start,
                output_type="latent",
                **request.call_arguments(edges),
            )
        return decode(self.diffusers.vae, output.images, self.tier)

    @torch.no_grad()
    def _embedded(self, request: Request) -> dict[str, torch.Tensor]:
        """What a pipeline takes instead of a prompt: the same, made once."""

        def make() -> dict[str, torch.Tensor]:
            arguments = embedding.call_arguments(self.diffusers, request.prompt, plain=request.plain_prompt)
            if "prompt" in arguments:
                embeds, _, pooled, _ = self.diffusers.encode_prompt(**arguments, do_classifier_free_guidance=False)
                return {"prompt_embeds": embeds, "pooled_prompt_embeds": pooled}
            return arguments

        # Whatever else the embeddings depend on belongs to the key.
        key = request.prompt, request.plain_prompt, self._in_encoders(request)
        return self.embeddings.of(key, make)

    def _in_encoders(self, request: Request) -> tuple[tuple[Part, float], ...]:
        """The LoRAs that change what the text encoders make of a prompt, with their scales."""
        every = zip(request.spec().loras, self.merging.loras, request.lora_scales(), strict=True)
        return tuple((part, scale) for part, lora, scale in every if scale and lora.changes_encoders)

    @torch.no_grad()
    def _noised(self, image: Image.Image, timestep: int, generator: torch.Generator) -> torch.Tensor:
        """The latents of `image` with as much noise as there is at `timestep`, to denoise from there on."""
        device = self.diffusers._execution_device  # noqa: SLF001 - where hooks of accelerate's say
        latents = encode(self.diffusers.vae, image, generator, device, self.tier).to(self.diffusers.unet.dtype)
        noise = randn_tensor(latents.shape, generator=generator, device=device, dtype=latents.dtype)
        # A copy of it: this moves a scheduler's numbers to the device for good, where half precision rounds them.
        scheduler = copy.copy(self.diffusers.scheduler)
        noised: torch.Tensor = scheduler.add_noise(latents, noise, torch.tensor([timestep]))
        return noised

    @torch.no_grad()
    def _mixed(
        self, request: Between, embedded: dict[str, torch.Tensor], generator: torch.Generator
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Embeddings and noise at the request's share of the way."""
        width, height = request.size
        shape = (1, self.diffusers.unet.config.in_channels, height // 8, width // 8)
        generators = (generator, torch.Generator("cpu").manual_seed(request.other.seed))
        device, dtype = self.diffusers._execution_device, embedded["prompt_embeds"].dtype  # noqa: SLF001
        one, other = (randn_tensor(shape, generator=drawn, device=device, dtype=dtype) for drawn in generators)
        mixture = mixed(embedded, self._embedded(request.other), request.share)
        return mixture, slerp(one, other, request.share)

    def left_out(self, request: Request) -> str:
        """The end of a request's prompt that the text encoders don't read; "" where they read it all."""
        return embedding.left_out(self.diffusers, request.prompt, plain=request.plain_prompt)


def assemble(spec: PipelineSpec, modules: Mapping[Part, Any], tier: Tier = "resident") -> Pipeline:
    """The pipeline of `spec` over its resident modules, with a scheduler of its own."""
    text = modules[spec.text_encoders]
    unet = modules[spec.unet]
    loras = tuple(modules[lora] for lora in spec.loras)
    merging = Merging(unet, text.merging, loras, modules[spec.pristine] if spec.pristine else None)
    common = {
        "vae": modules[spec.vae],
        "text_encoder": text.text_encoder,
        "text_encoder_2": text.text_encoder_2,
        "tokenizer": text.tokenizer,
        "tokenizer_2": text.tokenizer_2,
        "unet": unet.network,
        "scheduler": copy.deepcopy(modules[spec.scheduler]),
    }
    if spec.adapter is None:
        # The watermark would be added by itself wherever an optional package happens to be installed.
        pipeline = _TextPipeline(**common, add_watermarker=False)
    else:
        pipeline = _AdapterPipeline(**common, adapter=modules[spec.adapter])
    pipeline.set_progress_bar_config(disable=True)
    return Pipeline(pipeline, text.embeddings, merging, tier)


class _OnOneDevice:
    """Looks once where its modules compute. diffusers goes through all of them several times a picture: 5 ms."""

    @cached_property
    def _execution_device(self) -> torch.device:
        device: torch.device = super()._execution_device  # type: ignore[misc]
        return device


class _TextPipeline(_OnOneDevice, StableDiffusionXLPipeline):  # type: ignore[misc]
    pass


class _AdapterPipeline(_OnOneDevice, StableDiffusionXLAdapterPipeline):  # type: ignore[misc]
    pass


@contextmanager
def _after_each_step(unet: Any, on_step: Callable[[int], None]) -> Iterator[None]:
    """The two pipelines have different callbacks; a hook on the UNet serves both."""
    done = 0

    def hook(*_: object) -> None:
        nonlocal done
        done += 1
        on_step(done)

    handle = unet.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
