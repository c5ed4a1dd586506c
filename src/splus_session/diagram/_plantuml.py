"""A diagram in PlantUML's language."""

import enum
import re
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen

from splus_session.diagram._language import StateLanguage
from splus_session.diagram._names import Names
from splus_session.diagram._palette import palette
from splus_session.diagram._shown import Place, View, lines, name_of

_UNSAFE = re.compile(r"[^ \w.,()/+!?']|(?<=_)_|_(?=_)|(?<=/)/|/(?=/)", re.ASCII)
"""What may mean something to PlantUML, or to its Creole: two underlines or slashes do."""


_BREAK: Final = "\\n"
"""Ends a line beside an arrow."""
_ARROW: Final[Mapping[View, int]] = {"overview": 26, "full": 44}  # so many letters are in a line there,
_BOX: Final = 48  # and in a box, of the overview


@frozen
class PlantUml(StateLanguage):
    """Writes what is shown."""

    def text(self) -> str:
        """The whole of it."""
        return "\n".join(["@startuml", *self._lines(), "@enduml", ""])

    def _lines(self) -> Iterator[str]:
        colours = palette(self.theme)
        yield f"title {self._escaped(self.title)}"
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
        yield from self._states(Names(self.shown.boxes), width=_BOX)
        yield "legend"
        yield from map(self._escaped, self.shown.legend)
        yield "end legend"

    def _look(self, state: enum.Enum) -> str:
        link = self.links.get(name_of(state))
        look = f" [[{link}]]" if link is not None else ""
        if state is self.shown.active:
            look += f" {palette(self.theme).active_box};line.bold"
        return look

    def _beside(self, place: Place) -> str:
        return _BREAK.join(self._escaped(line.text) for line in lines(place, self.view, _ARROW[self.view]))

    def _escaped(self, text: str) -> str:
        # Not as `&#92;`, over which some versions stumble.
        return _UNSAFE.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)
