"""A diagram in PlantUML's language."""

import enum
import re
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen

from splus_session.diagram._names import Names
from splus_session.diagram._palette import Theme, palette
from splus_session.diagram._shown import Direction, Shown, View, lines, name_of, plainly

_UNSAFE = re.compile(r"[^ \w.,()/+!?']|(?<=_)_|_(?=_)|(?<=/)/|/(?=/)", re.ASCII)
"""What may mean something to PlantUML, or to its Creole: two underlines or slashes do."""


_BREAK: Final = "\\n"
"""Ends a line beside an arrow."""
_ARROW: Final[Mapping[View, int]] = {"overview": 26, "full": 44}  # so many letters are in a line there,
_BOX: Final = 48  # and in a box, of the overview


@frozen
class PlantUml:
    """Writes what is shown."""

    shown: Shown
    view: View
    theme: Theme
    direction: Direction
    links: Mapping[str, str]
    title: str

    def text(self) -> str:
        """The whole of it."""
        return "\n".join(["@startuml", *self._lines(), "@enduml", ""])

    def _lines(self) -> Iterator[str]:
        shown, names, colours = self.shown, Names(self.shown.boxes), palette(self.theme)
        yield f"title {_escaped(self.title)}"
        yield "top to bottom direction" if self.direction == "down" else "left to right direction"
        yield "hide empty description"
        yield "skinparam shadowing false"
        yield f"skinparam backgroundColor {colours.paper}"
        yield f"skinparam defaultFontColor {colours.ink}"
        yield f"skinparam stateBackgroundColor {colours.box}"
        yield f"skinparam stateBorderColor {colours.line}"
        yield f"skinparam stateFontColor {colours.ink}"
        yield f"skinparam arrowColor {colours.line}"
        yield f"skinparam arrowFontColor {colours.ink}"
        yield f"skinparam legendBackgroundColor {colours.paper}"
        for state in shown.boxes:
            yield f'state "{_escaped(name_of(state))}" as {names[state]}{self._look(state)}'
        if shown.initial is not None:
            yield f"[*] --> {names[shown.initial]}"
        for (source, target), place in shown.arrows.items():
            texts = _BREAK.join(_escaped(line.text) for line in lines(place, self.view, _ARROW[self.view]))
            yield f"{names[source]} --> {names[target]} : {texts}"
        for state, place in shown.boxes.items():
            if state is shown.active:
                yield f"{names[state]} : active now"
            for text in plainly(place, self.view, _BOX):
                yield f"{names[state]} : {_escaped(text)}"
        yield "legend"
        yield from map(_escaped, shown.legend)
        yield "end legend"

    def _look(self, state: enum.Enum) -> str:
        link = self.links.get(name_of(state))
        look = f" [[{link}]]" if link is not None else ""
        if state is self.shown.active:
            look += f" {palette(self.theme).active_box};line.bold"
        return look


def _escaped(text: str) -> str:
    """Text in which nothing means anything to PlantUML: by its number, where it might."""
    # Not as `&#92;`, over which some versions stumble.
    return _UNSAFE.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)
