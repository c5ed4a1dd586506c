"""What each state of a session is, and what leads in and out: the block of `docs/reference/lifecycle.md`.

Read from the table that runs and from the words that stand with the states.
"""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

from blocks import filled
from sphinx.pycode import ModuleAnalyzer

from splus_session import LIFECYCLE, Row, SessionState, allowed_in

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "lifecycle.md"


def page() -> str:
    """The page."""
    return filled(PAGE, {"states": states})


def states() -> str:
    """A section a state."""
    meaning = _meanings()
    return "\n\n".join(_section(state, meaning[state.name]) for state in SessionState)


def _section(state: SessionState, meaning: str) -> str:
    moves = [row for row in LIFECYCLE if not row.internal]
    into = _by_state((row.source, row) for row in moves if row.target is state)
    out_of = _by_state((row.target, row) for row in moves if row.source is state)
    stays = _events(row for row in LIFECYCLE if row.internal and row.source is state)
    return "\n".join(
        [
            # The heading's anchor is the state's name, which pictures link to.
            f"### `{state.value}`",
            "",
            meaning,
            "",
            *(f"- **in from** `{other.value}`: {events}" for other, events in into),
            *(f"- **out to** `{other.value}`: {events}" for other, events in out_of),
            f"- **stays** on {stays}",
            f"- **may be asked for**: {', '.join(f'`{name}`' for name in sorted(allowed_in(state)))}",
        ]
    )


def _by_state(rows: Iterable[tuple[SessionState, Row]]) -> list[tuple[SessionState, str]]:
    order = list(SessionState)
    ordered = sorted(rows, key=lambda pair: order.index(pair[0]))
    return [
        (state, _events(row for _, row in pairs))
        for state, pairs in groupby(ordered, key=lambda pair: pair[0])
    ]


def _events(rows: Iterable[Row]) -> str:
    return ", ".join(f"`{event}`" for event in dict.fromkeys(row.event for row in rows))


def _meanings() -> dict[str, str]:
    """What stands below each state in the source."""
    told = ModuleAnalyzer.for_module(SessionState.__module__).find_attr_docs()
    return {state.name: " ".join(told[SessionState.__name__, state.name]).strip() for state in SessionState}
