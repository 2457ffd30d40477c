"""The operator's token for the hub."""

from __future__ import annotations

import logging

from huggingface_hub import get_token

from dmd2_demo.models.sources import HubRepo

_log = logging.getLogger(__name__)


class OperatorToken:
    """The token that huggingface_hub finds (HF_TOKEN, `hf auth login`), until the hub refuses it.

    A token that ran out makes the hub refuse what anyone may read. Then that is read without it.
    """

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def of(self, repo: HubRepo) -> str | bool:
        """What to send with a question about `repo`, as huggingface_hub takes it: False for nothing."""
        token = None if repo.anonymous else get_token()
        if token and not (token.isascii() and token.isprintable()):
            self.refused(token)
        return token if token and token not in self._refused else False

    def refused(self, token: str) -> None:
        """From now on it is not sent; the operator is told once."""
        if token not in self._refused:
            self._refused.add(token)
            _log.warning(
                "The hub refuses this demo's token (HF_TOKEN or `hf auth login`): it is wrong or ran out. "
                "What anyone may read is read without it."
            )
