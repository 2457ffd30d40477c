"""A picture on the way from one to another: between their prompts and between their noises."""

# Annotations hold objects here, not text: no `from __future__ import annotations`.

from dataclasses import dataclass
from typing import Any

from dmd2_demo.errors import DemoError
from dmd2_demo.generate.requests import TextToImage


@dataclass(frozen=True, kw_only=True)
class Between(TextToImage):
    """The request's own picture at a `share` of 0, that of `other` at 1.

    Both are of one step, since later steps add noise of their own. DemoError where they differ in what can't be mixed.
    """

    other: TextToImage
    share: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.schedule) == len(self.other.schedule) == 1:
            raise DemoError("Only pictures of one step can be blended into each other.")
        if self.size != self.other.size:
            raise DemoError("The two pictures differ in size. Only those of one size can be blended into each other.")
        if (self.spec(), self.lora_scales()) != (self.other.spec(), self.other.lora_scales()):
            raise DemoError("The two pictures differ in their styles or VAE, so they can't be blended into each other.")

    def parameters(self, picture: int = 0) -> dict[str, Any]:
        return super().parameters(picture) | {"morph": {"to": self.other.parameters(), "share": self.share}}
