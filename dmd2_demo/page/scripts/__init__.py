"""What the browser runs, beyond the lines that stand beside their events."""

from __future__ import annotations

from pathlib import Path

HEAD = "".join(
    f"<script>{path.read_text(encoding='utf-8')}</script>" for path in sorted(Path(__file__).parent.glob("*.js"))
)
"""For the page's head: all of it is there before any event is."""
