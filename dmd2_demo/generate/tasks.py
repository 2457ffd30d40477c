"""All that can be asked for."""

from __future__ import annotations

from dmd2_demo.generate.fields import fields_of
from dmd2_demo.generate.image_to_image import ImageToImage
from dmd2_demo.generate.request import Request
from dmd2_demo.generate.requests import CannyGuided, CommunityLora, TextToImage

REQUESTS: tuple[type[Request], ...] = (TextToImage, CommunityLora, CannyGuided, ImageToImage)
"""Each is a tab and an endpoint of its `task`'s name."""

LABELS = {name: field.label for request in REQUESTS for name, field in fields_of(request).items()}
"""What visitors call each field."""
