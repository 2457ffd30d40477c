"""How the page looks."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

ICON = Path(__file__).with_name("icon.png")

# System fonts: no request leaves the machine.
_FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]

THEME = gr.themes.Base(
    primary_hue=gr.themes.colors.teal,
    neutral_hue=gr.themes.colors.stone,
    radius_size=gr.themes.sizes.radius_md,
    font=_FONT,
    font_mono=_MONO,
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    body_text_color_subdued="*neutral_600",
    link_text_color="*primary_700",
    link_text_color_hover="*primary_600",
    link_text_color_visited="*primary_700",
    link_text_color_dark="*primary_400",
    link_text_color_hover_dark="*primary_300",
    link_text_color_visited_dark="*primary_400",
    block_shadow="none",
    block_border_width="1px",
    block_label_background_fill="transparent",
    block_label_background_fill_dark="transparent",
    block_label_border_width="0",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_text_color="white",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800",
    button_primary_text_color_dark="white",
)

CSS = """
/* Whatever is written in these colours must be readable. */
.gradio-container { --color-accent: var(--primary-700); }
.dark .gradio-container { --color-accent: var(--primary-400); }
.gradio-container .json-node:not(.dark-mode) {
  --text-color: #8a3b1e; --string-color: #8a3b1e; --number-color: #1d5a75; --bracket-color: #35605f;
  --square-bracket-color: #7a3d85;
}
/* Whoever goes through the page by keys sees where they are. */
.gradio-container :is(button, a, input, textarea, [role], [tabindex]):focus-visible {
  outline: 2px solid var(--color-accent) !important; outline-offset: 2px;
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after {
    animation-duration: .01ms !important; animation-iteration-count: 1 !important;
    transition-duration: .01ms !important; scroll-behavior: auto !important;
  }
}
/* Clipped, not hidden: nothing can stick to the screen inside of what scrolls. */
.gradio-container { width: 100%; max-width: 1200px !important; margin: 0 auto; overflow: clip !important; }
#header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; padding: .5rem 0; }
#header h1 { font-size: 1.5rem; margin: 0; letter-spacing: -.02em; }
#header .facts { color: var(--body-text-color-subdued); font-size: .9rem; }
#header a { color: inherit; padding: 0; margin: 0; }
/* What is written from right to left begins there. */
#prompt textarea, .status p { unicode-bidi: plaintext; text-align: start; }
/* The gallery is as tall as its pictures; one alone is not blown up to the column's width. */
.pictures { min-height: 20rem; }
.pictures .grid-wrap { max-height: none !important; }
.pictures .grid-container { max-width: calc(2 * var(--largest-shown)); margin: 0 auto; }
.pictures .grid-container:has(> :only-child) { max-width: var(--largest-shown); }
/* Pictures in a row that fill in the form. */
.examples { min-height: 0 !important; border: none !important; background: none !important; }
.examples .grid-wrap { height: auto !important; min-height: 0 !important; max-height: none !important; padding: 0; }
.examples .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
/* What comes at once comes without a flash; drawing progress would take the cores that the picture needs.
   One animation for all states: a picture of several does not begin it anew. */
@keyframes wait { from { visibility: hidden; } }
.gradio-container [data-testid="status-tracker"]:not(.hide) { animation: wait .4s steps(1); }
/* The toast says what was wrong; the pictures made before stay in sight. */
.pictures [data-testid="status-tracker"]:has(.error) { display: none !important; }
#words { padding: 0 .25rem; }
#words p { margin: .25rem 0; font-size: .875rem; color: var(--body-text-color-subdued); }
#words [role=group] {
  display: flex; flex-wrap: wrap; gap: .25rem; margin-bottom: .5rem; padding: 3px; max-height: 9rem; overflow-y: auto;
}
#words button {
  padding: .125rem .625rem; border: 1px solid var(--border-color-primary); border-radius: 1rem;
  background: var(--button-secondary-background-fill); color: var(--body-text-color);
  font-size: .8125rem; font-weight: 400; margin: 0 !important;
}
#words button:hover { border-color: var(--color-accent); }
/* No room for words: the tooltip has them, and screen readers. */
.examples .caption-label { display: none; }
/* As many cells side by side as the sheet has; their labels whole. */
#sheet .grid-wrap { max-height: none !important; overflow-x: auto; }
#sheet .grid-container { grid-template-columns: repeat(var(--across, 4), minmax(4.5rem, 1fr)) !important; }
#sheet .caption-label { max-width: 100%; white-space: normal; overflow-wrap: anywhere; }
/* What the page presses by itself: what a tab is started by, what resumes when the page is opened anew ... */
.trigger, .live-trigger, .of-history, .not-given, .returned { display: none !important; }
/* As large as it would be in the gallery; nothing jumps while pictures follow one another. */
#live-picture, #morph-picture { min-height: var(--largest-shown); text-align: center; }
#live-picture img { width: 100%; max-width: var(--largest-shown); margin: 0 auto; }
#morph-picture img { width: var(--largest-shown); max-width: 100%; margin: 0 auto; object-fit: contain !important; }
/* -1 is a number that means a word. */
#seed { position: relative; }
#seed.random input:not(:focus) { color: transparent; }
#seed.random:has(input:not(:focus))::after {
  content: "random"; position: absolute; left: 1.4rem; bottom: 1.2rem; pointer-events: none;
}
/* Tables of settings: as wide as there is room, whatever a stranger's file says. */
table.facts { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: .9rem; }
table.facts :is(th, td) {
  padding: .25rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere;
  border: solid var(--border-color-primary) !important; border-width: 0 0 1px !important;
}
table.facts th[scope="row"] { color: var(--body-text-color-subdued); font-weight: normal; }
/* Where a file may be dropped: everywhere. */
body.dropping .gradio-container { outline: 3px dashed var(--color-accent); outline-offset: -3px; }
/* How long the prompt is, close below its box. */
#ask { gap: .2rem; }
#tokens { text-align: right; }
/* The strip of what was made here: one row, which scrolls. */
#history.empty { display: none; }
#history .strip { display: flex; align-items: center; }
#history .strip span { flex: none; font-size: .9rem; }
#history .strip ul { flex: 1; min-width: 0; }
#history ul { display: flex; gap: .4rem; overflow-x: auto; margin: 0; padding: 4px; list-style: none; }
#history li { flex: none; margin: 0; }
#history li button { display: block; padding: 0; border-radius: var(--radius-md); cursor: pointer; }
#history li img { height: 64px; min-width: 32px; margin: 0; border-radius: var(--radius-md); }
#history li button[aria-pressed="true"] { outline: 3px solid var(--color-accent); }
#history li button.paired { outline: 3px dashed var(--color-accent); }
#history li button:focus-visible { outline: 3px solid var(--body-text-color); }
#history:not(:has([aria-pressed="true"])) .actions-of-chosen { display: none; }
.status { min-height: 1.5rem; padding: 0 .25rem; }
.status p { color: var(--body-text-color-subdued); font-size: .9rem; }
@media (max-width: 768px) {
  /* All tabs in sight: Gradio hides in a menu what does not fit. */
  .gradio-container .main.fillable { padding-left: 1rem !important; padding-right: 1rem !important; }
  .tab-container button { padding: 0 .375rem !important; font-size: .8125rem !important; }
  /* Generate stays in reach of the thumb. */
  .actions {
    position: fixed; inset: auto 0 0; z-index: 100; padding: .5rem 1rem; background: var(--body-background-fill);
  }
  .gradio-container { padding-bottom: 5rem !important; }
  /* Prompt and Generate, the pictures, then the rest. */
  #main { display: flex; flex-direction: column; flex-wrap: nowrap; }
  #controls, #results { display: contents; }
  #controls > * { order: 3; }
  #controls > :has(#prompt), #controls > .actions { order: 1; }
  #results > * { order: 2; }
}
"""
