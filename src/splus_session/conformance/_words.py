"""How a run is told to people."""

import json
from collections.abc import Collection
from typing import Any, Final, cast

from splus_session.conformance.reports._contents import visible
from splus_session.testing import Received

__all__ = ["answer_in_words", "json_object", "time_in_words"]

_LONGEST_REASON: Final = 60
"""Characters of what the platform gives as its reason."""

_UNITS: Final = ((86_400_000, "day"), (3_600_000, "h"), (60_000, "min"))
"""In milliseconds, which are whole numbers."""


def time_in_words(seconds: float) -> str:
    """A time as a person says it, to the millisecond: `30 days`, `10 min 1 s`, `0.1 s`."""
    rest = round(abs(seconds) * 1000)
    if rest == 0:
        return f"{seconds:g} s"
    said: list[str] = []
    for length, unit in _UNITS:
        count, rest = divmod(rest, length)
        if count:
            said.append(f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}")
    if rest:
        said.append(f"{rest / 1000} s".replace(".0 s", " s"))
    return ("-" if seconds < 0 else "") + " ".join(said)


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
