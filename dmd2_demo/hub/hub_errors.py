"""What the hub's refusals mean, in one sentence each."""

from __future__ import annotations

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from dmd2_demo.errors import DemoError
from dmd2_demo.models.sources import HubRepo

HUB_ERRORS = (HfHubHTTPError, httpx2.HTTPError, HFValidationError, OfflineModeIsEnabled, LocalEntryNotFoundError)
"""All that a call of the hub's client may raise because of the hub or the way to it."""

MISSING = RemoteEntryNotFoundError
"""What it raises where a repository holds no such file."""


_GATED_TO_ALL = "{} is gated; only what anyone may read can be named here."
_NOT_PUBLIC = "There is no repository {} on the hub that anyone may read."


class NotThere(DemoError):
    """The repository holds no such file."""


def sentence(error: Exception, repo: HubRepo, name: str) -> DemoError:
    """What to tell the visitor when `name` of `repo` could not be had."""
    match error:
        case RepositoryNotFoundError() if repo.anonymous:
            gated = isinstance(error, GatedRepoError)
            return DemoError(_GATED_TO_ALL.format(repo) if gated else _NOT_PUBLIC.format(repo))
        case GatedRepoError():
            return DemoError(
                f"{repo} is gated: its licence must be accepted on its page on the hub, and this demo started with a "
                "token of that account (`hf auth login` or HF_TOKEN)."
            )
        case RepositoryNotFoundError():
            return DemoError(
                f"There is no repository {repo} on the hub, or it is private: then this demo needs a token that may "
                "read it (`hf auth login` or HF_TOKEN)."
            )
        case RevisionNotFoundError():
            return DemoError(f"{repo} has no revision {repo.revision}.")
        case RemoteEntryNotFoundError():
            return NotThere(f"{repo} has no file {name}.")
        case HFValidationError():
            return DemoError(f"{repo.id!r:.100} is no repository id: one looks like owner/name.")
        case HfHubHTTPError():
            return _status(error.response.status_code, repo)
        case OfflineModeIsEnabled():
            return DemoError(f"This demo runs offline (HF_HUB_OFFLINE), and {name} of {repo} is not on its disk.")
        case httpx2.TimeoutException():
            return DemoError(f"The hub took too long to answer for {name} of {repo}. Please try again.")
        case _:
            return DemoError(f"The hub can't be reached, and {name} of {repo} is not on this disk.")


def _status(status: int, repo: HubRepo) -> DemoError:
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        return DemoError("The hub asks to slow down (rate limit). Please try again in a few minutes.")
    if status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return DemoError(f"The hub has a problem of its own (error {status}). Please try again later.")
    if status in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
        return DemoError(
            f"The hub refuses {repo} (error {status}): this demo's token is missing, wrong or may not read it "
            "(`hf auth login` or HF_TOKEN)."
        )
    return DemoError(f"The hub refuses {repo} (error {status}).")
