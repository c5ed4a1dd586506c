"""What the languages have in common in which a diagram is drawn."""

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from attrs import frozen

from splus_session.diagram._names import Names
from splus_session.diagram._palette import Theme
from splus_session.diagram._shown import Direction, Place, Shown, View, name_of, plainly


@frozen
class Language(ABC):
    """Writes what is shown."""

    shown: Shown
    view: View
    theme: Theme
    direction: Direction
    links: Mapping[str, str]
    """By the name of a state or an event, where it leads to."""
    title: str

    @abstractmethod
    def text(self) -> str:
        """The whole of it."""


@frozen
class StateLanguage(Language):
    """One that says what Mermaid and PlantUML say in the same words: which states and arrows there are."""

    def _states(self, names: Names, *, width: int) -> Iterator[str]:
        """The states, the arrows between them, and what is in the boxes, in lines of so many letters."""
        for state in self.shown.boxes:
            yield f'state "{self._escaped(name_of(state))}" as {names[state]}{self._look(state)}'
        if self.shown.initial is not None:
            yield f"[*] --> {names[self.shown.initial]}"
        for (source, target), place in self.shown.arrows.items():
            yield f"{names[source]} --> {names[target]} : {self._beside(place)}"
        for state, place in self.shown.boxes.items():
            if state is self.shown.active:
                yield f"{names[state]} : active now"
            for text in plainly(place, self.view, width):
                yield f"{names[state]} : {self._escaped(text)}"

    def _look(self, state: enum.Enum) -> str:
        """What a state looks like, where that is said with its name."""
        return ""

    @abstractmethod
    def _beside(self, place: Place) -> str:
        """What is written beside an arrow."""

    @abstractmethod
    def _escaped(self, text: str) -> str:
        """Text in which nothing means anything: by its number, where it might."""
