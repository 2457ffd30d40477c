"""ComfyUI's pictures: the graph of nodes that made them, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from dmd2_demo.generate.metadata.found import Found, scale, stem

TOOL = "ComfyUI"

_FARTHEST = 100
"""Nodes followed from one input, so that a circle ends."""

_LONGEST = 100_000
"""Letters of a text that nodes join: a few nodes that double it each make millions."""

_IGNORED = {"steps": "Steps", "cfg": "CFG scale", "sampler_name": "Sampler", "scheduler": "Scheduler"}
_TEXTS = ("text", "text_g", "string", "value", "prompt")
_SEEDS = ("seed", "noise_seed", "value")
_NUMBERS = ("value", "int", "number")
_UNKNOWN = "from a node that can't be read here"

Inputs = Mapping[str, Any]


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
    zeroed = {key for key, node in nodes.items() if node.get("class_type") == "ConditioningZeroOut"}
    prompt, negative = (_Walk(inputs, zeroed).words(sampler.get(name)) for name in ("positive", "negative"))
    settings: dict[str, Any] = {"prompt": prompt or ""}
    ignored = {title: str(sampler[name]) for name, title in _IGNORED.items() if _plain(sampler.get(name))}
    if prompt is None:
        ignored["Prompt"] = _UNKNOWN
    seed = sampler.get("seed", sampler.get("noise_seed"))
    if seed is not None:
        _put(settings, ignored, "Seed", {"seed": _Walk(inputs).number(seed, _SEEDS)})
    for given in _upstream(inputs, sampler["latent_image"]):
        if "width" in given and "height" in given:
            sides = {name: _Walk(inputs).number(given[name], _NUMBERS) for name in ("width", "height")}
            _put(settings, ignored, "Size", sides)
            break
    if negative:
        ignored["Negative prompt"] = negative
    models = list(_upstream(inputs, sampler.get("model")))
    if checkpoints := _with_text(models, "ckpt_name"):
        ignored["Model"] = checkpoints[-1]["ckpt_name"]
    loras = {stem(one["lora_name"]): scale(one.get("strength_model")) for one in _with_text(models, "lora_name")}
    return Found(TOOL, settings, ignored, loras)


def _put(settings: dict[str, Any], ignored: dict[str, str], title: str, found: Mapping[str, int | None]) -> None:
    """All of `found` into the settings; where one is None, that it is not known is told instead."""
    if None in found.values():
        ignored[title] = _UNKNOWN
    else:
        settings.update(found)


class _Walk:
    """Follows links to a value, a bounded number of them. `zeroed` nodes forget the words that lead to them."""

    def __init__(self, inputs: Mapping[str, Inputs], zeroed: set[str] | None = None) -> None:
        self._inputs, self._zeroed, self._left = inputs, zeroed or set(), _FARTHEST

    def words(self, link: object) -> str | None:
        """The text that a conditioning is made of; None where none is found."""
        given = self._behind(link)
        if given is None or not _is_link(link) or str(link[0]) in self._zeroed:
            return None
        if {"positive", "negative"} <= set(given):
            # Such a node hands on both, the negative second.
            return self.words(given["negative" if link[1] == 1 else "positive"])
        if any(name in given for name in _TEXTS):
            return self.text(link)
        return next((words for value in given.values() if (words := self.words(value)) is not None), None)

    def text(self, value: object) -> str | None:
        """A text, or the one that a link leads to; those of a node that joins two, joined."""
        if isinstance(value, str):
            return value
        given = self._behind(value)
        if given is None:
            return None
        if {"string_a", "string_b"} <= set(given):
            both = [self.text(given[name]) for name in ("string_a", "string_b")]
            joined = None if None in both else str(given.get("delimiter", "")).join(map(str, both))
            return joined if joined is None or len(joined) <= _LONGEST else None
        named = (given[name] for name in _TEXTS if name in given)
        return next((text for value in named if (text := self.text(value)) is not None), None)

    def number(self, value: object, names: tuple[str, ...]) -> int | None:
        """A whole number, or the one that a link leads to."""
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        given = self._behind(value) or {}
        named = (given[name] for name in names if name in given)
        return next((number for value in named if (number := self.number(value, names)) is not None), None)

    def _behind(self, link: object) -> Inputs | None:
        if not _is_link(link):
            return None
        self._left -= 1
        return self._inputs.get(str(link[0])) if self._left >= 0 else None


def _upstream(inputs: Mapping[str, Inputs], link: object) -> Iterator[Inputs]:
    """The inputs of the node that a link leads to, and of those before it, nearest first. Each once."""
    seen, waiting = set[str](), [link]
    while waiting and len(seen) < _FARTHEST:
        link = waiting.pop(0)
        if not _is_link(link) or str(link[0]) in seen:
            continue
        seen.add(str(link[0]))
        given = inputs.get(str(link[0]))
        if given is not None:
            yield given
            waiting += given.values()


def _with_text(nodes: list[Inputs], name: str) -> list[Inputs]:
    return [given for given in nodes if isinstance(given.get(name), str)]


def _is_link(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a node's id with the number of one of its outputs."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int)


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float)
