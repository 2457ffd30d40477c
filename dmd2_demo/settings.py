"""What the operator chose, by flag or environment variable, checked once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

_FAMILIES = ("auto", "embedded", "sdxl")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


@dataclass(frozen=True)
class Settings:
    """`budget` is in bytes, None for no limit."""

    family: str = "auto"
    host: str = "127.0.0.1"
    port: int | None = None
    share: bool = False
    budget: int | None = None
    bases: Path | None = None
    allow_custom_bases: bool = False

    @classmethod
    def read(cls, arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
        """From `--flags`, else `DMD2_FLAGS`, else the defaults. Exits with a usage message for a bad value."""
        parser = _parser()
        defaults = {}
        for field in fields(cls):
            value = environment.get(f"DMD2_{field.name.upper()}")
            if value is not None:
                # argparse converts a string default as it does a flag, with the same message for a bad one.
                defaults[field.name] = value if field.type != "bool" else _switch(parser, field.name, value)
        parser.set_defaults(**defaults)
        return cls(**vars(parser.parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="DMD2 in the browser. Every flag can also be an environment variable: DMD2_FAMILY, DMD2_PORT ...",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "--family",
        # Not `choices`: argparse does not hold a default against them, and the environment gives defaults.
        type=_family,
        metavar="{auto,embedded,sdxl}",
        help="auto (default): sdxl where there is a GPU, else embedded",
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1; 0.0.0.0 for every network)")
    parser.add_argument("--port", type=_port, help="default: the first free one from 7860")
    parser.add_argument("--share", action="store_true", help="also open a public link through Gradio's servers")
    parser.add_argument("--budget", type=_gigabytes, metavar="GB", help="most memory for models (default: no limit)")
    parser.add_argument("--bases", type=Path, metavar="FILE.toml", help="more bases for the LoRA tab")
    parser.add_argument(
        "--allow-custom-bases", action="store_true", help="let visitors name any public repository as a base"
    )
    return parser


def _family(value: str) -> str:
    if value not in _FAMILIES:
        raise argparse.ArgumentTypeError(f"{value!r} is none of {', '.join(_FAMILIES)}")
    return value


def _port(value: str) -> int:
    port = int(value)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError("must be from 1 to 65535")
    return port


def _gigabytes(value: str) -> int:
    gigabytes = float(value)
    if not 0 < gigabytes < 1e6:
        raise argparse.ArgumentTypeError("must be a positive number of gigabytes")
    return round(gigabytes * 1e9)


def _switch(parser: argparse.ArgumentParser, name: str, value: str) -> bool:
    if value.lower() not in _TRUE | _FALSE:
        parser.error(f"DMD2_{name.upper()}: {value!r} is neither true nor false")
    return value.lower() in _TRUE
