"""A life cycle in SCXML, the W3C's language for state machines. It runs.

Each row is a `<transition>`, and those of one state and event stand in the order in which they are tried. A
guard is a name in the data model, true or false: whoever runs it keeps those up to date. What a row does is
logged, as `reaction` and `hook`: SCXML knows no other thing that every interpreter carries out.
"""

import enum
import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

from splus_session._row import Row
from splus_session.diagram._names import Names
from splus_session.diagram._shown import condition, meaning_of, name_of


def scxml(lifecycle: Sequence[Row], states: Sequence[enum.Enum], initial: enum.Enum, title: str) -> str:
    """A life cycle in SCXML."""
    names = Names(states)
    root = {
        "xmlns": "http://www.w3.org/2005/07/scxml",
        "xmlns:splus": "https://splus-session.invalid/scxml",
        "version": "1.0",
        "datamodel": "ecmascript",
        "name": re.sub(r"\W", "_", f"_{title}", flags=re.ASCII).lstrip("_") or "chart",
        "initial": names[initial],
    }
    guards = dict.fromkeys(guard.name for row in lifecycle for guard in row.guards)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<scxml{_attributes(root)}>"]
    lines += [
        "  <datamodel>",
        *(f"    <data{_attributes({'id': guard, 'expr': 'false'})}/>" for guard in guards),
        "  </datamodel>",
    ]
    for state in states:
        lines.append(f"  <state{_attributes({'id': names[state], 'splus:name': name_of(state)})}>")
        for row in lifecycle:
            if row.source is state:
                lines += _transition(row, names)
        lines.append("  </state>")
    return "\n".join([*lines, "</scxml>", ""])


def _transition(row: Row, names: Names) -> Iterator[str]:
    attributes = {"event": row.event}
    if row.guards:
        attributes["cond"] = condition(row.guards, both=" && ", no="{} === false")
    if not row.internal:  # without a target, nothing is left or entered
        attributes["target"] = names[row.target]
    _, requirements = meaning_of(row)
    if requirements:
        attributes["splus:requirements"] = " ".join(requirements)
    opening = f"    <transition{_attributes(attributes)}"
    if not row.reactions and not row.hooks:
        yield f"{opening}/>"
        return
    yield f"{opening}>"
    for label, names_ in (("reaction", row.reactions), ("hook", row.hooks)):
        for name in names_:
            yield f"      <log{_attributes({'label': label, 'expr': repr(name)})}/>"
    yield "    </transition>"


def _attributes(attributes: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(text)}" for name, text in attributes.items())
