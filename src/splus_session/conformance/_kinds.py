"""What kind of error one of Python's is: the words of the conformance protocol."""

import asyncio
from typing import Final

from splus_session._errors import SplusSessionError
from splus_session.conformance._lines import KINDS

__all__ = ["Unsupported", "failure_of", "kind_of"]

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
    return code if code in KINDS else _OTHER_NAMES.get(code, "other")


def failure_of(error: BaseException) -> dict[str, object]:
    """The fields of a `failed` event that tell of an error."""
    fields: dict[str, object] = {"kind": kind_of(error), "message": f"{type(error).__name__}: {error}"}
    if isinstance(error, SplusSessionError):
        fields["retryable"] = error.retryable
    return fields
