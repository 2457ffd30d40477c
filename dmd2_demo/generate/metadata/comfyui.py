"""ComfyUI's pictures: the graph of nodes that made them, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dmd2_demo.generate.metadata.found import Found

TOOL = "ComfyUI"

_FARTHEST = 200
"""Nodes followed from one input, so that a circle ends."""

_IGNORED = {"steps": "Steps", "cfg": "CFG scale", "sampler_name": "Sampler", "scheduler": "Scheduler"}


def read(graph: object) -> Found | None:
    """The settings of the graph's first sampler; None where it is no graph or has none."""
    if not isinstance(graph, Mapping):
        return None
    nodes = {str(key): node for key, node in graph.items() if isinstance(node, Mapping)}
    inputs = {key: node["inputs"] for key, node in nodes.items() if isinstance(node.get("inputs"), Mapping)}
    samplers = [given for given in inputs.values() if {"positive", "latent_image"} <= set(given)]
    if not samplers:
        return None
    sampler = samplers[0]
    settings: dict[str, Any] = {"prompt": _text(inputs, sampler["positive"])}
    seed = sampler.get("seed", sampler.get("noise_seed"))
    if isinstance(seed, int):
        settings["seed"] = seed
    for given in _upstream(inputs, sampler["latent_image"]):
        if isinstance(given.get("width"), int) and isinstance(given.get("height"), int):
            settings.update(width=given["width"], height=given["height"])
            break
    ignored = {title: str(sampler[name]) for name, title in _IGNORED.items() if _plain(sampler.get(name))}
    negative = _text(inputs, sampler.get("negative"))
    if negative:
        ignored["Negative prompt"] = negative
    for given in _upstream(inputs, sampler.get("model")):
        if isinstance(given.get("ckpt_name"), str):
            ignored["Model"] = given["ckpt_name"]
        if isinstance(given.get("lora_name"), str):
            ignored[f"LoRA {given['lora_name']}"] = f"scale {given.get('strength_model', 1)}"
    return Found(TOOL, settings, ignored)


def _text(inputs: Mapping[str, Mapping[str, Any]], link: object) -> str:
    """The first text on the way up from an input."""
    for given in _upstream(inputs, link):
        for name in ("text", "text_g", "string", "value", "prompt"):
            if isinstance(given.get(name), str) and given[name].strip():
                return str(given[name])
    return ""


def _upstream(inputs: Mapping[str, Mapping[str, Any]], link: object) -> Iterator[Mapping[str, Any]]:
    """The inputs of the node that a link leads to, and of those before it, nearest first. Each once."""
    seen, waiting = set[str](), [link]
    while waiting and len(seen) < _FARTHEST:
        link = waiting.pop(0)
        if not isinstance(link, list) or len(link) != 2 or str(link[0]) in seen:
            continue
        seen.add(str(link[0]))
        given = inputs.get(str(link[0]))
        if given is not None:
            yield given
            waiting += given.values()


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float)
