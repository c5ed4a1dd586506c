"""How a run is told to people."""

from typing import Final

__all__ = ["time_in_words"]

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
