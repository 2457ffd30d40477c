"""Graphs of nodes, followed from the sampler."""

from __future__ import annotations

from typing import Any

from dmd2_demo.generate.metadata import comfyui
from tests.generate.metadata.comfyui_graph import GRAPH


def node(kind: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def changed(**nodes: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What is found in GRAPH with other nodes, each by its id behind an underscore."""
    found = comfyui.read(GRAPH | {name.removeprefix("_"): one for name, one in nodes.items()})
    assert found is not None
    return dict(found.settings), dict(found.ignored)


def test_a_prompt_of_several_pieces_is_joined() -> None:
    joined = node(string_a="a cat", string_b=["21", 0], delimiter=", ")
    assert changed(_20=joined, _21=node(value="in style"))[0]["prompt"] == "a cat, in style"


def test_a_prompt_that_no_node_tells_is_said_to_be_missing() -> None:
    settings, ignored = changed(_20=node("Random", choices=["a", "b"]))
    assert settings["prompt"] == ""
    assert "can't be read" in ignored["Prompt"]


def test_a_linked_seed_and_size_are_followed_or_said_to_be_missing() -> None:
    sampler = node(**GRAPH["3"]["inputs"] | {"seed": ["30", 0]})
    latents = node(width=["31", 0], height=["31", 1])
    settings, _ = changed(_3=sampler, _5=latents, _30=node(seed=["32", 0]), _31=node(value=768), _32=node(value=4))
    assert (settings["seed"], settings["width"], settings["height"]) == (4, 768, 768)
    settings, ignored = changed(_3=sampler, _5=latents, _30=node(text="x"), _31=node(value=True))
    assert set(settings) == {"prompt"}
    assert {"Seed", "Size"} <= set(ignored)


def test_nodes_that_hand_on_both_prompts_keep_them_apart() -> None:
    sampler = node(**GRAPH["3"]["inputs"] | {"positive": ["40", 0], "negative": ["40", 1]})
    control = node("ControlNetApplyAdvanced", positive=["6", 0], negative=["7", 0], strength=1.0)
    settings, ignored = changed(_3=sampler, _40=control)
    assert (settings["prompt"], ignored["Negative prompt"]) == ("a lighthouse", "ugly")
    settings, ignored = changed(_3=sampler, _40=control, _6=node(text=""))
    assert (settings["prompt"], ignored["Negative prompt"]) == ("", "ugly")


def test_a_negative_prompt_that_is_zeroed_is_none() -> None:
    sampler = node(**GRAPH["3"]["inputs"] | {"negative": ["40", 0]})
    assert "Negative prompt" not in changed(_3=sampler, _40=node("ConditioningZeroOut", conditioning=["6", 0]))[1]


def test_a_graph_that_runs_in_a_circle_ends() -> None:
    circle = {str(key): {"inputs": {"a": [str(1 - key), 0]}} for key in (0, 1)}
    sampler = {"9": {"inputs": {"positive": ["0", 0], "latent_image": ["1", 0], "model": ["0", 0]}}}
    found = comfyui.read(circle | sampler)
    assert found is not None
    assert found.settings == {"prompt": ""}


def test_nodes_that_double_a_text_do_not_fill_the_memory() -> None:
    double = {f"_{20 + i}": node(string_a=[f"{21 + i}", 0], string_b=[f"{21 + i}", 0]) for i in range(5)}
    settings, ignored = changed(**double, _25=node(text="x" * 90_000))
    assert settings["prompt"] == ""
    assert "can't be read" in ignored["Prompt"]


def test_a_link_to_no_node_is_none() -> None:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    settings, ignored = changed(_20=node(a=[deep, 0]))
    assert settings["prompt"] == ""
    assert "can't be read" in ignored["Prompt"]
