"""What kind of error one of Python's is: the words of the conformance protocol."""

import asyncio
from typing import Final

from splus_session._errors import SplusSessionError

__all__ = ["Unsupported", "failure_of", "kind_of"]

# These are kinds under the very name of the library's own code.
_SAME: Final = frozenset(
    {
        "not_allowed",
        "invalid_argument",
        "auth_token_required",
        "handler_required",
        "invalid_access_token",
        "invalid_handler",
        "refused",
        "user_banned",
        "user_deleted",
        "unavailable",
        "malformed_answer",
        "not_logged_in",
        "terminated",
        "renewal_failed",
        "wait_timeout",
        "interrupted",
        "closed",
        "store",
        "stored_record",
    }
)
_OTHER_NAMES: Final = {"configuration": "invalid_argument", "forked": "closed"}


class Unsupported(Exception):  # noqa: N818  a verdict on the command, and nobody's fault
    """The adapter cannot do this, or the client has no such method."""


def kind_of(error: BaseException) -> str:
    """The protocol's word for an error; `other` for one that is not of this library."""
    if isinstance(error, Unsupported):
        return "unsupported"
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    code = error.code if isinstance(error, SplusSessionError) else ""
    return code if code in _SAME else _OTHER_NAMES.get(code, "other")


def failure_of(error: BaseException) -> dict[str, object]:
    """The fields of a `failed` event that tell of an error."""
    fields: dict[str, object] = {"kind": kind_of(error), "message": f"{type(error).__name__}: {error}"}
    if isinstance(error, SplusSessionError):
        fields["retryable"] = error.retryable
    return fields
