"""How a run is told to people."""

import json
from collections.abc import Collection
from typing import Any, Final, cast

from splus_session._text import visible
from splus_session.testing import Received

__all__ = ["answer_in_words", "json_object"]

_LONGEST_REASON: Final = 60
"""Characters of what the platform gives as its reason."""


def answer_in_words(record: Received, secrets: Collection[str]) -> str:
    """What a request was answered: the status, the faults that struck it, and why the platform refused it.

    A reason that holds a secret is left out. [SECRET-1]
    """
    why = [*record.faults]
    reason = _reason(record)
    if reason and not any(secret in reason for secret in secrets):
        why.append(reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1] + "…")
    return f"{record.status} ({': '.join(why)})" if why else str(record.status)


def _reason(record: Received) -> str:
    """What is wrong with the request, as the body of an error says, in one line."""
    if record.response is None or record.response.status < 400:
        return ""
    content = json_object(record.response.body)
    data = content.get("data")
    detail: object = cast("dict[str, object]", data).get("detail") if isinstance(data, dict) else None
    if isinstance(detail, list):
        detail = ", ".join(each for each in cast("list[object]", detail) if isinstance(each, str))
    reason = detail or content.get("message")
    return " ".join(visible(reason).split()) if isinstance(reason, str) else ""


def json_object(body: bytes) -> dict[str, Any]:
    """A body that is a JSON object; of anything else, nothing."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}
