"""How events of the page are wired."""

from __future__ import annotations

from typing import Any

# Events that only move things on the page: no spinner, not part of the API.
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

# All that use the device wait in the manager's line, not in Gradio's queue: there downloads would hold up those who
# compute, and order would be by requests, not by visitors.
MOST_AT_ONCE = 64
ON_DEVICE: dict[str, Any] = {"concurrency_id": "device", "concurrency_limit": MOST_AT_ONCE}
