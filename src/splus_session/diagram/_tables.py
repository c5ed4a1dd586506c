"""A life cycle as a table, in Markdown or reStructuredText."""

import enum
from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen

from splus_session._row import Guard, Row
from splus_session.diagram._shown import is_request, label_of, name_of

_IF: Final = " (if)"
_NOTE: Final = "(if): only if a condition holds; else it is refused or dropped, as where it has no row."


@frozen
class Table:
    """Cells of text in which names stand between backquotes."""

    head: Sequence[str]
    body: Sequence[Sequence[str]]
    note: str = ""
    """What is to be said below it."""

    def markdown(self) -> str:
        """As GitHub, MkDocs and others read it."""
        rows = (self.head, ["---"] * len(self.head), *self.body)
        lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows)
        return "".join(f"| {line} |\n" for line in lines) + (f"\n{self.note}\n" if self.note else "")

    def rst(self, title: str) -> str:
        """As docutils and Sphinx read it."""
        lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
        for row in (self.head, *self.body):
            marks = ["   * -", *["     -"] * (len(row) - 1)]
            cells = (cell.replace("`", "``") for cell in row)
            lines += [f"{mark} {cell}".rstrip() for mark, cell in zip(marks, cells, strict=True)]
        lines += ["", self.note] if self.note else []
        return "".join(f"{line}\n" for line in lines)


def by_state(lifecycle: Sequence[Row], states: Iterable[enum.Enum]) -> Table:
    """What each event leads to in each state."""
    states = tuple(states)
    rows_of: dict[tuple[enum.Enum, str], list[Row]] = {}
    for row in lifecycle:
        rows_of.setdefault((row.source, row.event), []).append(row)
    body = [
        [_name(event), *(_outcome(event, rows_of.get((state, event), ()), lifecycle) for state in states)]
        for event in dict.fromkeys(row.event for row in lifecycle)
    ]
    head = ["event", *(f"in {_name(name_of(state))}" for state in states)]
    may_fail = any(cell.endswith(_IF) for row in body for cell in row)
    return Table(head, body, _NOTE if may_fail else "")


def _outcome(event: str, rows: Sequence[Row], lifecycle: Sequence[Row]) -> str:
    if not rows:
        return "refused" if is_request(event, lifecycle) else "dropped"
    outcomes = ("stays" if row.internal else f"to {_name(name_of(row.target))}" for row in rows)
    return ", ".join(dict.fromkeys(outcomes)) + (_IF if _may_fail([row.guards for row in rows]) else "")


def _may_fail(conditions: Sequence[tuple[Guard, ...]]) -> bool:
    """Whether guards may be such that none of these conditions holds."""
    if not conditions:
        return True
    if () in conditions:
        return False
    name = conditions[0][0].name
    return any(
        _may_fail(
            [
                tuple(guard for guard in guards if guard.name != name)
                for guards in conditions
                if all(guard.name != name or guard.expected is value for guard in guards)
            ]
        )
        for value in (True, False)
    )


def by_row(lifecycle: Sequence[Row], rows: Iterable[Row]) -> Table:
    """One line a row, with all that it says."""
    head = ["in", "event", "if", "to", "does", "asks for", "runs", "see"]
    body: list[list[str]] = []
    for row in rows:
        label = label_of(row, lifecycle)
        order = f" ({label.order})" if label.order is not None else ""
        guards = [f"{'' if guard.expected else 'not '}{_name(guard.name)}" for guard in label.guards]
        body.append(
            [
                _name(name_of(row.source)),
                _name(row.event) + order,
                " and ".join(guards),
                "stays" if row.internal else _name(name_of(row.target)),
                *(", ".join(map(_name, names)) for names in (label.reactions, label.commands, label.hooks)),
                ", ".join(label.requirements),
            ]
        )
    return Table(head, body)


def _name(name: str) -> str:
    return f"`{name.replace('`', chr(39))}`"
