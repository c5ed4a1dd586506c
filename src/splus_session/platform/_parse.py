"""Reads what an answer may hold: JSON, ISO 8601 times, HTTP dates. Bounded, total, and silent.

Nothing here raises, whatever the bytes: what cannot be read is None, or NaN for a time, and the
reader of the answer says what that means. [SECRET-3]
"""

import json
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import accumulate
from typing import Final, cast

MAX_DEPTH: Final = 64
"""How deep an answer's arrays and objects may nest."""

MAX_WAIT: Final = 86_400.0
"""The longest `Retry-After` that is believed, in seconds: a day."""

# Up to its end or, if it has none, to that of the text. Possessive: no text makes it backtrack.
_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")
_DEEPER: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
_NO_TIME: Final = (ValueError, OverflowError)
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


def document(body: bytes | None) -> dict[str, object] | None:
    """The JSON object in `body`, or None if it is anything else, is nested too deep, or is None."""
    if body is None:
        return None
    try:
        text = body.decode("utf-8")
        # Counted beforehand: the parser's own bound is the interpreter's, which an app may lift.
        parsed: object = json.loads(text) if _depth(text) <= MAX_DEPTH else None
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else None


def objects(something: object) -> list[dict[str, object]]:
    """The JSON objects in an array; none if it is no array."""
    if not isinstance(something, list):
        return []
    items = cast("list[object]", something)
    return [cast("dict[str, object]", item) for item in items if isinstance(item, dict)]


def code(parsed: dict[str, object] | None) -> int | None:
    """The platform's own code in an answer, such as 400100, if there is one."""
    number = None if parsed is None else parsed.get("code")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 10_000_000:
        return None
    return number


def iso_time(text: object) -> float:
    """UTC seconds of an ISO 8601 time, taken as UTC if it names no zone; NaN if it is no time."""
    if not isinstance(text, str):
        return math.nan
    try:
        return _utc_seconds(datetime.fromisoformat(text))
    except _NO_TIME:
        return math.nan


def http_date(text: str | None) -> float | None:
    """UTC seconds of an HTTP date, such as `Sun, 06 Nov 1994 08:49:37 GMT`, or None."""
    try:
        return None if text is None else _utc_seconds(parsedate_to_datetime(text))
    except _NO_TIME:
        return None


def retry_after(text: str | None, now: float) -> float | None:
    """The seconds, 0 to `MAX_WAIT`, that a `Retry-After` asks for, or None if it makes no sense.

    Args:
        text: the header: seconds, or an HTTP date.
        now: the platform's time, UTC seconds.
    """
    if text is None:
        return None
    if _SECONDS.fullmatch(text.strip()):
        return min(float(text), MAX_WAIT)
    date = http_date(text)
    return None if date is None else min(max(date - now, 0.0), MAX_WAIT)


def _utc_seconds(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _depth(text: str) -> int:
    brackets = _BRACKET.findall(_STRING.sub("", text))
    return max(accumulate(map(_DEEPER.__getitem__, brackets)), default=0)
