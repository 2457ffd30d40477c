"""A disk without room, told to visitors."""

from __future__ import annotations

import errno

FULL_DISK = "This machine's disk is full, so no picture can be saved. Whoever runs the demo can free some space."
"""The sentence."""


def is_full(error: BaseException) -> bool:
    """Whether that is what went wrong, or what Gradio says that went wrong with an output."""
    causes = (error, error.__cause__)
    return any(isinstance(one, OSError) and one.errno in {errno.ENOSPC, errno.EDQUOT} for one in causes)
