"""How events of the page are wired."""

from __future__ import annotations

from typing import Any

# Events that only move things on the page: no spinner, not part of the API.
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

# One device, one queue: all that use it wait in the same line.
ON_DEVICE: dict[str, Any] = {"concurrency_id": "device", "concurrency_limit": 1}

# Each visitor has one of their own: who waits for one waits there, and not for one another.
ON_OWN_DEVICE: dict[str, Any] = {"concurrency_limit": None}
