"""One line of the benchmark's report."""

from typing import NamedTuple


class Row(NamedTuple):
    """One line of the report."""

    what: str
    figure: str
    bar: str = ""
    met: bool | None = None
