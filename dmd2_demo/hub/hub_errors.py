"""What the hub's refusals mean, in one sentence each."""

from __future__ import annotations

import httpx2
from huggingface_hub.errors import (
    FileMetadataError,
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


class NotTheHub(Exception):
    """What answered at this address (the message) lacks what every answer of the hub has."""


HUB_ERRORS = (
    HfHubHTTPError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    HFValidationError,
    OfflineModeIsEnabled,
    LocalEntryNotFoundError,
    FileMetadataError,
    NotTheHub,
)
"""All that a call of the hub's client, or ours, may raise because of the hub or the way to it."""

MISSING = RemoteEntryNotFoundError
"""What it raises where a repository holds no such file."""


_GATED_TO_ALL = "{} is gated; only what anyone may read can be named here."
_NOT_PUBLIC = "There is no repository {} on the hub that anyone may read."


class NotThere(DemoError):
    """The repository holds no such file."""


class Unreachable(DemoError):
    """The hub could not be asked at the moment; it has refused nothing."""


class Offline(Unreachable):
    """The operator chose that the hub is not asked."""


def sentence(error: Exception, repo: HubRepo, name: str) -> DemoError:
    """What to tell the visitor when `name` of `repo` could not be had."""
    match error:
        case RepositoryNotFoundError():
            return _no_repository(isinstance(error, GatedRepoError), repo)
        case RevisionNotFoundError():
            return DemoError(f"{repo} has no revision {repo.revision}.")
        case RemoteEntryNotFoundError():
            return NotThere(f"{repo} has no file {name}.")
        case HFValidationError():
            return DemoError(f"{repo.id!r:.100} is no repository id: one looks like owner/name.")
        case HfHubHTTPError():
            return _status(error.response.status_code, repo)
        case NotTheHub() | FileMetadataError():
            return _not_the_hub(str(error))
        case OfflineModeIsEnabled():
            return _offline(repo, name)
        case httpx2.TimeoutException():
            return Unreachable(f"The hub took too long to answer for {name} of {repo}. Please try again.")
        case _ if repo.anonymous:
            return Unreachable(f"The hub can't be reached to ask whether anyone may read {repo}.")
        case _:
            return Unreachable(f"The hub can't be reached, and {name} of {repo} is not on this disk.")


def _no_repository(gated: bool, repo: HubRepo) -> DemoError:
    if repo.anonymous:
        return DemoError(_GATED_TO_ALL.format(repo) if gated else _NOT_PUBLIC.format(repo))
    if gated:
        return DemoError(
            f"{repo} is gated: its licence must be accepted on its page on the hub, and this demo started with a "
            "token of that account (`hf auth login` or HF_TOKEN)."
        )
    return DemoError(
        f"There is no repository {repo} on the hub, or it is private: then this demo needs a token that may "
        "read it (`hf auth login` or HF_TOKEN)."
    )


def _offline(repo: HubRepo, name: str) -> Offline:
    if repo.anonymous:
        return Offline(
            f"This demo runs offline (HF_HUB_OFFLINE) and can't ask the hub whether anyone may read {repo}. "
            "Its operator can offer it as a base (--bases)."
        )
    return Offline(f"This demo runs offline (HF_HUB_OFFLINE), and {name} of {repo} is not on its disk.")


# The hub says by a code of its own what it has not, and needs no login of the network.
_NEVER_THE_HUBS = {
    httpx2.codes.NOT_FOUND,
    httpx2.codes.METHOD_NOT_ALLOWED,
    httpx2.codes.PROXY_AUTHENTICATION_REQUIRED,
    httpx2.codes.NETWORK_AUTHENTICATION_REQUIRED,
}


def _not_the_hub(answer: str) -> DemoError:
    return DemoError(
        f"What answers in the hub's place is not the hub ({answer:.100}): HF_ENDPOINT names something else, or this "
        "network wants a login first."
    )


def _status(status: int, repo: HubRepo) -> DemoError:
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        return Unreachable("The hub asks to slow down (rate limit). Please try again in a few minutes.")
    if status in _NEVER_THE_HUBS:
        return _not_the_hub(f"error {status}")
    if status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return Unreachable(f"The hub has a problem of its own (error {status}). Please try again later.")
    if status in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
        return DemoError(
            f"The hub refuses {repo} (error {status}): this demo's token is missing, wrong or may not read it "
            "(`hf auth login` or HF_TOKEN)."
        )
    return DemoError(f"The hub refuses {repo} (error {status}).")
