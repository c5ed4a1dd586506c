"""A report for programs, and for reports that are made of it later."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from splus_session.conformance.verdicts import Report

__all__ = ["FORMAT", "dump", "load"]

FORMAT: Final = 1
"""The number of this form. Another one is another form, and is not read."""


def dump(report: Report) -> str:
    """The report as JSON: ASCII alone, sorted keys, one value a line, a line feed at the end.

    Raises:
        ValueError: a number in it is infinite or none, which JSON does not have.
    """
    content = {"format": FORMAT, **report.to_json()}
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"


def load(text: str) -> Report:
    """What `dump` made, back.

    Raises:
        ValueError: it is no such thing. The message says why not.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is no report: it is not JSON: {error}") from error
    if not isinstance(content, Mapping):
        raise ValueError("this is no report: it is not a JSON object")  # noqa: TRY004  its value is wrong
    fields = dict(cast("Mapping[str, Any]", content))
    if (form := fields.pop("format", None)) != FORMAT:
        raise ValueError(f"this is no report in the format {FORMAT}, but in {form!r}")
    try:
        return Report.from_json(fields)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no report: {error}") from error
