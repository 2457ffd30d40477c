"""A file that is dropped anywhere on the page goes to the panel that reads settings, and opens it."""

from __future__ import annotations

import gradio as gr

from dmd2_demo.page.events import PRIVATE

PANEL = "inspect"
"""The element id of the panel: what opens it is its first button, what takes the file is within."""

# Inputs for pictures take their own drops, and say so by preventing the browser's: opening the file in its place.
_LISTEN = f"""() => {{
  const withFile = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files') && !event.defaultPrevented;
  const mark = (on) => document.body.classList.toggle('dropping', on);
  const input = () => document.querySelector('#{PANEL} input[type=file]');
  const take = (files, until) => {{
    if (!input()) {{ if (performance.now() < until) requestAnimationFrame(() => take(files, until)); return; }}
    input().files = files;
    input().dispatchEvent(new Event('change', {{ bubbles: true }}));
    document.querySelector('#{PANEL}').scrollIntoView({{ block: 'nearest' }});
  }};
  document.addEventListener('dragover', (event) => {{
    if (withFile(event)) {{ event.preventDefault(); mark(true); }}
  }});
  document.addEventListener('dragleave', (event) => {{ if (!event.relatedTarget) mark(false); }});
  document.addEventListener('drop', (event) => {{
    mark(false);
    if (!withFile(event) || !event.dataTransfer.files.length) return;
    event.preventDefault();
    const only = new DataTransfer();
    only.items.add(event.dataTransfer.files[0]);
    const opener = document.querySelector('#{PANEL} button');
    if (!document.querySelector('#{PANEL} .open')) opener.click();
    document.querySelector('#{PANEL} [aria-label="Clear"]')?.click();
    take(only.files, performance.now() + 5000);
  }});
}}"""


def connect(page: gr.Blocks) -> None:
    """Listens for files, inside the page."""
    page.load(None, js=_LISTEN, **PRIVATE)
