"""Generate and Stop, for whichever tab is open, and their keys: Enter in the prompt, Ctrl+Enter anywhere, Escape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from dmd2_demo.page.events import PRIVATE

# Each tab has a hidden button that starts its event; the open tab is the one that is laid out.
_GENERATE = (
    "[...document.querySelectorAll('button.trigger')]"
    ".find((button) => button.closest('[role=tabpanel]').offsetParent)?.click()"
)
PRESS_GENERATE = f"() => {{ {_GENERATE}; }}"
"""For an event: starts the open tab's."""

_STOP = "document.querySelector('button.stop').click()"

_LISTEN = f"""() => document.addEventListener('keydown', (event) => {{
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {{ event.preventDefault(); {_GENERATE}; }}
  // Escape may be meant for what is open: a list, a picture, an input method's word.
  const meant = event.defaultPrevented || event.isComposing || document.querySelector('.block.fullscreen') ||
    event.target.closest?.('[role=combobox], [role=listbox]');
  if (event.key === 'Escape' && !meant) {_STOP};
}})"""

# Gradio's buttons take no title.
_TELL = """() => {
  document.querySelector('button.generate').title =
    'Enter in the prompt, or Ctrl+Enter anywhere. Shift+Enter begins a new line.';
  document.querySelector('button.stop').title = 'Escape';
}"""


@dataclass(frozen=True)
class Actions:
    """Generate and Stop."""

    generate: gr.Button
    stop: gr.Button


def actions() -> Actions:
    """Generate and Stop, side by side."""
    with gr.Row(elem_classes="actions"):
        generate = gr.Button("Generate", variant="primary", scale=3, min_width=140, elem_classes="generate")
        stop = gr.Button("Stop", scale=1, min_width=80, elem_classes="stop")
    return Actions(generate, stop)


def connect(
    page: gr.Blocks,
    prompt: Any,
    actions: Actions,
    events: Sequence[Dependency],
    stop: Callable[[gr.Request], None],
) -> None:
    """Connects the buttons and the keys with what makes pictures, inside the page; `stop` ends what runs already."""
    gr.on([actions.generate.click, prompt.submit], None, js=PRESS_GENERATE, **PRIVATE)
    actions.stop.click(stop, None, None, cancels=list(events), queue=False, **PRIVATE)
    page.load(None, js=_LISTEN, **PRIVATE)
    page.load(None, js=_TELL, **PRIVATE)
