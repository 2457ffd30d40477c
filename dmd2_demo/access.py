"""Who may open the page: accounts, and whether its address is this machine's alone."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

Accounts = tuple[tuple[str, str], ...]
"""Names with their passwords."""

_FLAG = "--auth"


def accounts(value: str) -> Accounts:
    """The accounts of `USER:PASSWORD`, or of the lines of a file, `@FILE`.

    Raises argparse's error, which never repeats what it was given.
    """
    if not value.startswith("@"):
        return (_account(value, "it"),)
    try:
        lines = Path(value[1:]).expanduser().read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError, RuntimeError) as error:  # the last where there is no such home as ~name
        reason = getattr(error, "strerror", None) or ("it is no text" if isinstance(error, ValueError) else str(error))
        raise argparse.ArgumentTypeError(f"the file of accounts can't be read: {reason}") from None
    found = tuple(_account(line, f"line {number}") for number, line in enumerate(lines, 1) if line.strip())
    if not found:
        raise argparse.ArgumentTypeError("the file of accounts is empty")
    return found


def _account(text: str, where: str) -> tuple[str, str]:
    user, _, password = text.strip().partition(":")
    if not user or not password:
        raise argparse.ArgumentTypeError(f"{where} must be USER:PASSWORD")
    return user, password


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on that address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def hide_accounts(command: Sequence[str]) -> None:
    """Starts `command` anew, in this process, where it names accounts itself: they go into its environment.

    The command line of a process can be read by every user of the machine, its environment by its own user only.
    """
    for number, word in enumerate(command):
        flag, equals, value = word.partition("=")
        if not _FLAG.startswith(flag) or len(flag) < len("--au"):  # argparse knows it by its beginning too
            continue
        taken = 1 if equals else 2
        value = value if equals else "".join(command[number + 1 : number + 2])
        if value and not value.startswith("@"):
            rest = [*command[:number], *command[number + taken :]]
            os.execve(rest[0], rest, os.environ | {"DMD2_AUTH": value})  # noqa: S606 - no shell is wanted
