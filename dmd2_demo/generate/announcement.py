"""What a first picture will download, said before it does."""

from __future__ import annotations

from dmd2_demo.hub.hub import Hub
from dmd2_demo.models.parts import PipelineSpec
from dmd2_demo.progress import in_bytes


def announcement(hub: Hub, spec: PipelineSpec) -> str:
    """A sentence with names and sizes, or "" where everything is on this disk already."""
    sizes: dict[str, int] = {}
    unknown = False
    for part in spec.parts():
        for _, size in hub.missing(part.files()):
            sizes[part.title] = sizes.get(part.title, 0) + (size or 0)
            unknown = unknown or size is None
    if not sizes:
        return ""
    if unknown:
        return f"The first picture downloads the {', '.join(sizes)}. The hub doesn't tell their size at the moment."
    listed = ", ".join(f"{title} {in_bytes(size)}" for title, size in sizes.items() if size > 1e6)
    return f"The first picture downloads {in_bytes(sum(sizes.values()))} and keeps it: {listed}."
