"""Names for screen readers, where Gradio gives none that helps: a picture in a row is what its caption says."""

from __future__ import annotations

import gradio as gr

from dmd2_demo.page.events import PRIVATE

_NAME = """() => {
  const name = () => {
    for (const button of document.querySelectorAll('button.thumbnail-item')) {
      const caption = button.querySelector('.caption-label')?.textContent.trim();
      if (caption && (button.title !== caption || button.getAttribute('aria-label') !== caption)) {
        button.setAttribute('aria-label', caption);
        button.title = caption;
      }
    }
  };
  let waiting = 0;
  new MutationObserver(() => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(name);
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
  name();
}"""


def connect(page: gr.Blocks) -> None:
    """Names them whenever something changes, inside the page."""
    page.load(None, js=_NAME, **PRIVATE)
