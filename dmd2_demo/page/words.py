"""The words that a small family knows, as buttons: a click puts one into the prompt, in place of one of its kind."""

from __future__ import annotations

from html import escape

import gradio as gr

from dmd2_demo.models.vocabulary import Vocabulary
from dmd2_demo.page.events import PRIVATE

# What is added where the prompt has no word of that kind yet.
_ADDED = {"Things": "a {}", "Backgrounds": "on a {} background", "Styles": ", {} style"}

_LISTEN = r"""() => document.addEventListener('click', (event) => {
  const chip = event.target.closest?.('#words button');
  if (!chip) return;
  const box = document.querySelector('#prompt textarea'), word = chip.textContent, row = chip.parentElement;
  const kin = [...row.querySelectorAll('button')].map((one) => one.textContent).join('|');
  const article = /^[aeiou]/.test(word) ? 'an' : 'a';
  const found = new RegExp(`(?<!\\p{L})(an?(\\s+))?(?:${kin})(?!\\p{L})`, 'iu');
  const added = row.dataset.added.replace('a {}', `${article} {}`).replace('{}', word);
  let prompt = box.value.trim();
  if (found.test(prompt)) prompt = prompt.replace(found, (_, an, space) => (an ? article + space : '') + word);
  else if (added.startsWith(',')) prompt = prompt ? prompt + added : added.slice(2);
  else prompt = prompt ? `${prompt} ${added}` : added;
  box.value = prompt;
  box.dispatchEvent(new Event('input', { bubbles: true }));
})"""


def chips(page: gr.Blocks, vocabulary: Vocabulary | None) -> None:
    """Lays them out inside the page; nothing where a family has no such list."""
    if vocabulary is None:
        return
    rows = {"Things": vocabulary.things, "Backgrounds": vocabulary.colours, "Styles": vocabulary.styles}
    with gr.Accordion("Words it knows", open=False):
        gr.HTML("".join(_row(title, words) for title, words in rows.items()), elem_id="words", padding=False)
    page.load(None, js=_LISTEN, **PRIVATE)


def _row(title: str, words: tuple[str, ...]) -> str:
    buttons = "".join(f'<button type="button">{escape(word)}</button>' for word in words)
    added = escape(_ADDED[title])
    return f'<p>{title}</p><div role="group" aria-label="{title}" data-added="{added}">{buttons}</div>'
