"""One row of the life cycle's table."""

from typing import NamedTuple

from splus_session._states import SessionState


class Guard(NamedTuple):
    """A condition of a row: a named predicate and the value it must have."""

    name: str
    expected: bool = True

    def __str__(self) -> str:
        return self.name if self.expected else f"not {self.name}"


class Row(NamedTuple):
    """One transition: in `source`, on `event`, if all `guards` hold, go to `target`.

    Rows of the same source and event are tried in order; the first whose guards hold is taken.
    An internal row stays where it is and no change is announced.
    """

    source: SessionState
    event: str
    target: SessionState
    internal: bool = False
    guards: tuple[Guard, ...] = ()
    reactions: tuple[str, ...] = ()
    """What happens to the session's memory and what it asks of its driver, in order."""
    hooks: tuple[str, ...] = ()
    """The client's side effects that run afterwards, in order. [HOOK-1]"""
