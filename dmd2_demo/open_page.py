"""Settings into an open page."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from functools import partial
from typing import Any

from starlette.middleware import Middleware

from dmd2_demo.cluster.link import Link
from dmd2_demo.cluster.runtime import ClusterRuntime
from dmd2_demo.cluster.studio import ClusterStudio
from dmd2_demo.cluster.words import Connected
from dmd2_demo.device.cuda_probe import Gpu, find_gpu
from dmd2_demo.generate import zero_gpu
from dmd2_demo.generate.announcement import Announcer
from dmd2_demo.generate.bases import custom, read_bases, with_bases
from dmd2_demo.generate.runtime import Runtime, build_runtime
from dmd2_demo.generate.sheet import MOST_CELLS
from dmd2_demo.generate.styles import custom_style, read_styles, with_styles
from dmd2_demo.hub.hub import Hub
from dmd2_demo.hub.proxies import proxy_trouble
from dmd2_demo.metrics import Metrics
from dmd2_demo.models.catalogue import FAMILIES
from dmd2_demo.models.family import Family
from dmd2_demo.page import layout, manifest
from dmd2_demo.page.context import PageContext
from dmd2_demo.page.events import MOST_AT_ONCE
from dmd2_demo.page.gate import Gate, trust_proxies
from dmd2_demo.page.scripts import HEAD
from dmd2_demo.page.serve import Address, around_proxies, find, taken
from dmd2_demo.page.served import ServedBlocks
from dmd2_demo.page.sessions import Sessions
from dmd2_demo.page.theme import CSS, ICON, THEME
from dmd2_demo.page.uploads import LARGEST
from dmd2_demo.page.visitors import Limits
from dmd2_demo.settings import Settings

_log = logging.getLogger(__name__)

_MOST_WAITING = 64  # requests of all visitors together


def run(settings: Settings) -> None:
    """Opens the page and serves it until interrupted."""
    open_page(settings).block_thread()


def open_page(settings: Settings) -> ServedBlocks:
    """The page, served by other threads until it is closed.

    DemoError where the address or the operator's bases or LoRAs can't be used.
    """
    address = find(settings.host, settings.port)
    link = Link(settings.cluster, settings) if settings.cluster else None
    joined = link.connected() if link else None
    lent = None if joined else zero_gpu.active()
    gpu = None if joined or lent else find_gpu()
    device, has_gpu = _device(joined, lent, gpu)
    family = _family(settings, has_gpu=has_gpu)
    notice = f"{gpu.sentence} The CPU computes instead." if gpu and gpu.trouble else ""
    if notice:
        _log.warning(notice)
    hub = Hub()
    runtime: Runtime | ClusterRuntime
    if link:
        runtime = ClusterRuntime(ClusterStudio(family, link))
    elif lent:
        runtime = zero_gpu.build_forked_runtime(family, settings, lent.fork, hub)
    else:
        runtime = build_runtime(family, settings, hub, has_gpu=has_gpu)
    family = runtime.studio.family  # with fewer bases where the disk is small
    named = partial(custom, hub.spelled, offered=family.bases)
    named_style = partial(custom_style, hub, family.styles)
    tell = partial(status, family, device, runtime)
    metrics = Metrics(tell) if settings.metrics_port else None
    context = PageContext(
        device=device,
        notice=notice,
        status=tell,
        unload=None if lent or settings.reachable_by_others else runtime.unload,
        downloads=(lambda _: "") if link or lent else Announcer(hub).announce,
        custom_base=named if settings.allow_custom_bases and not lent else None,
        custom_style=named_style if settings.allow_custom_bases and not lent else None,
        quota=lent.quota if lent else None,
        cost=runtime.cost.tell if runtime.cost else None,
        most_cells=_most_cells(family, settings, lent=lent is not None, has_gpu=has_gpu),
        limits=Limits(settings.queue_per_visitor, settings.queue_per_address),
        counted=metrics.request if metrics else nullcontext,
    )
    if metrics and settings.metrics_port:
        metrics.serve(address.host.strip("[]"), settings.metrics_port)
    trust_proxies(settings.trusted_proxies)
    page = layout.build(runtime.studio, context)
    manifest.link(page)
    page.queue(max_size=_MOST_WAITING)
    trouble = proxy_trouble()  # also makes the hub's client, with its proxies
    if trouble:
        _log.warning(trouble)
    # Gradio calls its own page first; a public link is asked for through the proxies, where they can be used.
    with around_proxies(address.host, all_hosts=not settings.share or bool(trouble)):
        _launch_at_free_port(page, address, settings)
    if not lent:  # else it is warm
        runtime.warm_up()
    return page


def _launch_at_free_port(page: ServedBlocks, address: Address, settings: Settings) -> None:
    """Another program may take the port after it was found free: the next is tried, unless the operator named it."""
    for _ in range(5):
        try:
            return _launch(page, address, settings)
        except OSError as error:
            if settings.port:
                raise taken(settings.port) from error
            _log.info("Port %d was taken a moment ago.", address.port)
            address = find(settings.host, None)
    raise taken(address.port)


def _launch(page: ServedBlocks, address: Address, settings: Settings) -> None:
    gate = Middleware(Gate, uploads=page.uploads, login=bool(settings.auth))
    page.launch(
        server_name=address.host,
        server_port=address.port,
        share=settings.share,
        theme=THEME,
        css=CSS,
        head=HEAD,
        favicon_path=ICON,
        pwa=True,
        max_file_size=LARGEST,
        auth=list(settings.auth) or None,
        app_kwargs={"middleware": [gate], "routes": [manifest.ROUTE]},
        max_threads=2 * MOST_AT_ONCE,  # those who wait hold one each, and Stop needs another
        state_session_capacity=1000,  # ten times as many could be made to fill the memory
        footer_links=["api"],
        ssr_mode=False,
        mcp_server=settings.mcp,
        run_history=False,  # ours tells the seeds that were drawn, and shows pictures on this page
        prevent_thread_lock=True,
    )
    page.app.state_holder = Sessions(page)


def status(family: Family, device: str, runtime: Runtime | ClusterRuntime) -> dict[str, Any]:
    """What `/status` answers."""
    return {"family": family.name, "device": device, **runtime.status()}


def _most_cells(family: Family, settings: Settings, *, lent: bool, has_gpu: bool) -> int:
    """Of a contact sheet, so that it takes a minute or so."""
    if lent:
        return 9  # each asks for a GPU of its own
    if family.on_cpu and not has_gpu:
        return 4
    return 25 if settings.reachable_by_others else MOST_CELLS


def _device(joined: Connected | None, lent: zero_gpu.ZeroGpu | None, gpu: Gpu | None) -> tuple[str, bool]:
    """Where pictures are made, in words, and whether that is a GPU."""
    if joined:
        return str(joined), joined.gpus > 0
    if lent:
        return "ZeroGPU", True
    if gpu and not gpu.trouble:
        return gpu.name, True
    return "CPU", False


def _family(settings: Settings, *, has_gpu: bool) -> Family:
    """The one that was chosen, or that suits the machine, with the operator's own bases and styles."""
    suits = "sdxl" if has_gpu else "embedded"
    family = FAMILIES[suits if settings.family == "auto" else settings.family]
    if settings.bases is not None:
        family = with_bases(family, read_bases(settings.bases))
    if settings.loras is not None:
        family = with_styles(family, read_styles(settings.loras))
    return family if has_gpu else family.for_cpu()
