"""What a phone needs to put the page among its apps, at whatever path a proxy shows it.

Gradio's own names places from the server's root, where behind a proxy something else may be.
"""

from __future__ import annotations

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dmd2_demo.page.events import PRIVATE

_MANIFEST = {
    "name": "DMD2",
    "start_url": "./",  # as all of it: from where the manifest is
    "display": "standalone",
    "icons": [
        {"src": f"pwa_icon/{size}", "sizes": f"{size}x{size}", "type": "image/png", "purpose": "any"}
        for size in (192, 512)
    ],
}

_LINK = "() => { document.querySelector('link[rel=manifest]').href = 'manifest.json'; }"


async def _answer(request: Request) -> JSONResponse:  # noqa: ARG001 - how a route is called
    return JSONResponse(_MANIFEST, media_type="application/manifest+json")


ROUTE = Route("/manifest.json", _answer)
"""For the page's application, where it comes before Gradio's."""


def link(page: gr.Blocks) -> None:
    """Has the page name its manifest from where the page is."""
    with page:
        page.load(None, js=_LINK, queue=False, **PRIVATE)
