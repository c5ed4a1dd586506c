"""Text for people: what came from outside, and times."""

import re
from typing import Final

__all__ = ["time_in_words", "visible"]

# Controls but tab and line feed, what turns the direction of writing, other ends of lines, halves of
# characters, and what XML can't hold. An adapter might send any of them, meaning well or not.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)

_UNITS: Final = ((86_400_000, "day"), (3_600_000, "h"), (60_000, "min"))
"""In milliseconds, which are whole numbers."""


def visible(text: str) -> str:
    r"""A text from outside with all that can't be seen in it spelled out, as `\x1b`."""
    return _UNSEEN.sub(lambda found: _escaped(ord(found[0])), text.replace("\r\n", "\n"))


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


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
