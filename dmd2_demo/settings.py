"""What the operator chose, by flag or environment variable, checked once."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, NoReturn

from dmd2_demo.access import Accounts, accounts, is_loopback
from dmd2_demo.errors import TIERS, DemoError, Tier

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_GRADIOS = {"host": "GRADIO_SERVER_NAME", "port": "GRADIO_SERVER_PORT"}


@dataclass(frozen=True)
class Settings:
    """`budget` is in bytes, None for no limit; `auth` has who may log in, nobody where everybody may open the page."""

    family: str = "auto"
    host: str = "127.0.0.1"
    port: int | None = None
    share: bool = False
    budget: int | None = None
    bases: Path | None = None
    loras: Path | None = None
    allow_custom_bases: bool = False
    memory: Tier | Literal["auto"] = "auto"
    attention: str = "auto"
    precision: str = "auto"
    auth: Accounts = dataclasses.field(default=(), repr=False)
    queue_per_visitor: int = 8
    queue_per_address: int = 48
    trusted_proxies: str = ""
    mcp: bool = False
    cluster: str = ""
    metrics_port: int | None = None

    @property
    def reachable_by_others(self) -> bool:
        """Whether anyone but who sits at this machine may open the page."""
        return self.share or not is_loopback(self.host)

    @classmethod
    def read(cls, arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
        """From `--flags`, else `DMD2_FLAGS`, else the defaults. DemoError for a bad value."""
        parser = _parser()
        defaults: dict[str, str | bool] = {}
        for field in fields(cls):
            # Gradio's own variables count too: Spaces set them. An empty one is not set.
            names = (f"DMD2_{field.name.upper()}", _GRADIOS.get(field.name, ""))
            value = next((value for name in names if (value := environment.get(name, "").strip())), None)
            if value is not None:
                # argparse converts a string default as it does a flag, with the same message for a bad one.
                defaults[field.name] = value if field.type != "bool" else _switch(parser, field.name, value)
        parser.set_defaults(**defaults)
        settings = cls(**vars(parser.parse_args(arguments)))
        if settings.mcp and settings.auth:
            parser.error("--mcp and --auth exclude each other: MCP programs can't log in here")
        return settings


class _Parser(argparse.ArgumentParser):
    """As argparse's, but that what is wrong is one sentence, as of all else that an operator may get wrong."""

    def error(self, message: str) -> NoReturn:
        raise DemoError(f"{message.removeprefix('argument ')}. `python app.py --help` tells what there is.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        description="DMD2 in the browser. Every flag can also be an environment variable: DMD2_FAMILY, DMD2_PORT ...",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "--family",
        **_one_of("auto", "embedded", "sdxl"),
        help="auto (default): sdxl where there is a GPU, else embedded",
    )
    parser.add_argument(
        "--host", type=_host, help="address to listen on (default 127.0.0.1; 0.0.0.0 for every network)"
    )
    parser.add_argument("--port", type=_port, help="default: the first free one from 7860")
    parser.add_argument("--share", action="store_true", help="also open a public link through Gradio's servers")
    parser.add_argument("--budget", type=_gigabytes, metavar="GB", help="most memory for models (default: no limit)")
    parser.add_argument("--bases", type=_path, metavar="FILE.toml", help="more bases for the LoRA tab")
    parser.add_argument("--loras", type=_path, metavar="FILE.toml", help="style LoRAs")
    parser.add_argument(
        "--allow-custom-bases",
        action="store_true",
        help="let visitors name any public repository as a base or a style LoRA",
    )
    parser.add_argument(
        "--memory",
        **_one_of("auto", *TIERS),
        help="where models wait on a GPU: all on it (12.6 GB), in the machine's memory (6.5 GB) or there layer by "
        "layer (less, and slow); auto (default): by what is free. The sizes are estimates",
    )
    parser.add_argument(
        "--attention",
        **_one_of("auto", "sdpa", "xformers"),
        help="kernel for attention: PyTorch's own (default) or, where it works, xformers'",
    )
    parser.add_argument(
        "--precision",
        **_one_of("auto", "float32", "bfloat16"),
        help="what is computed in; auto (default): float16 on a GPU; on a CPU float32, for SDXL bfloat16 where that is "
        "measured to be faster",
    )
    parser.add_argument(
        "--auth",
        type=accounts,
        metavar="USER:PASSWORD|@FILE",
        help="who may open the page; a file has one USER:PASSWORD a line. DMD2_AUTH or a file keep it out of sight",
    )
    parser.add_argument(
        "--queue-per-visitor", type=_count, metavar="N", help="most requests of a visitor that wait or run (default 8)"
    )
    parser.add_argument(
        "--queue-per-address", type=_count, metavar="N", help="the same for all visitors of one address (default 48)"
    )
    parser.add_argument(
        "--trusted-proxies",
        type=_networks,
        metavar="ADDRESS,...",
        help="addresses or networks of proxies whose X-Forwarded-For tells the visitor's address (default: none)",
    )
    parser.add_argument(
        "--mcp", action="store_true", help="also serve the endpoints as MCP tools, at /gradio_api/mcp/ of the page"
    )
    parser.add_argument(
        "--cluster",
        metavar="auto|HOST:PORT",
        help="make pictures on the Ray cluster that this machine is part of: the one that runs here, or the one whose "
        "head is at HOST:PORT",
    )
    parser.add_argument(
        "--metrics-port",
        type=_port,
        metavar="PORT",
        help="also answer Prometheus, at /metrics of that port of the host",
    )
    return parser


def _one_of(*choices: str) -> dict[str, Any]:
    """Not argparse's `choices`: it does not hold a default against them, and the environment gives defaults."""

    def choice(value: str) -> str:
        if value not in choices:
            raise argparse.ArgumentTypeError(f"{value!r} is none of {', '.join(choices)}")
        return value

    return {"type": choice, "metavar": f"{{{','.join(choices)}}}"}


def _host(value: str) -> str:
    """An IPv6 address may be in brackets, as in a URL."""
    return value.strip().removeprefix("[").removesuffix("]")


def _networks(value: str) -> str:
    """Addresses and networks, or * for all. Of a name nobody would know whose requests come from there."""
    for each in map(str.strip, value.split(",")):
        try:
            if each != "*":
                ip_network(each, strict=False)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{each!r} is no IP address or network") from None
    return value


def _path(value: str) -> Path:
    """No shell has looked at what the environment gives."""
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{value!r} begins with a home that can't be found") from error


def _port(value: str) -> int:
    return int(_number(value, "a whole number from 1 to 65535", lambda port: port == int(port) and 0 < port < 65536))


def _count(value: str) -> int:
    return int(_number(value, "a whole number from 1", lambda count: count == int(count) and count >= 1))


def _gigabytes(value: str) -> int:
    return round(1e9 * _number(value, "a number of gigabytes above 0", lambda gigabytes: 0 < gigabytes < 1e6))


def _number(value: str, what: str, is_one: Callable[[float], bool]) -> float:
    try:
        number = float(value)
        if math.isfinite(number) and is_one(number):
            return number
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{value!r} is not {what}")


def _switch(parser: argparse.ArgumentParser, name: str, value: str) -> bool:
    if value.lower() not in _TRUE | _FALSE:
        parser.error(f"DMD2_{name.upper()}: {value!r} is neither true nor false")
    return value.lower() in _TRUE
