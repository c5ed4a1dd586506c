"""A diagram in Mermaid's language, which GitHub, GitLab and many others draw by themselves."""

import re
from collections.abc import Iterator

from attrs import frozen

from splus_session.diagram._language import StateLanguage
from splus_session.diagram._names import Names
from splus_session.diagram._palette import palette
from splus_session.diagram._shown import RANKS, Place, name_of, plainly

_UNSAFE = re.compile(
    r"[^ \w.,()\[\]/+=!?@'-]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # leans what stands between two of them
    r"|(?<=direction) +(?=TB|BT|LR|RL)",  # a statement, wherever in a line it stands
    re.ASCII,
)
"""What may mean something to Mermaid, or to the page around it."""

_ARROW, _BOX = 20, 60  # so many letters are in a line beside an arrow, and in a box, of the overview


@frozen
class Mermaid(StateLanguage):
    """Writes what is shown."""

    def text(self) -> str:
        """The whole of it."""
        return "\n".join([*self._head(), *(f"    {line}" for line in self._lines()), ""])

    def _head(self) -> Iterator[str]:
        yield "---"
        yield f"title: {_quoted(self.title)}"
        if self.theme != "both":  # else the page decides
            yield "config:"
            yield f"  theme: {'dark' if self.theme == 'dark' else 'default'}"
        yield "---"
        yield "stateDiagram-v2"

    def _lines(self) -> Iterator[str]:
        shown, names = self.shown, Names(self.shown.boxes)
        yield f"accTitle: {_one_line(self.title)}"
        yield f"accDescr: {_one_line(shown.in_words())}"
        yield f"direction {RANKS[self.direction]}"
        yield from self._states(names, width=_BOX)
        yield from self._legend(names)
        if shown.active is not None:
            colours = palette(self.theme)
            look = f"fill:{colours.active_box},color:{colours.ink},stroke:{colours.line},stroke-width:3px"
            yield f"classDef active {look}"
            yield f"class {names[shown.active]} active"
        for state in shown.boxes:
            if (link := self.links.get(name_of(state))) is not None:
                yield f"click {names[state]} href {_quoted(link)}"

    def _legend(self, names: Names) -> Iterator[str]:
        """A note, beside the state that the chart begins in. Numbers for letters are not read there."""
        yield f"note left of {names[self.shown.initial or next(iter(self.shown.boxes))]}"
        yield from (f"    {line}" for line in self.shown.legend)
        yield "end note"

    def _beside(self, place: Place) -> str:
        return "<br>".join(map(self._escaped, plainly(place, self.view, _ARROW)))

    def _escaped(self, text: str) -> str:
        return _UNSAFE.sub(lambda found: "".join(f"#{ord(letter)};" for letter in found[0]), text)


def _one_line(text: str) -> str:
    """Text of a title or a description, where Mermaid takes everything up to the line's end as it stands."""
    words = " ".join(text.replace("#", "no. ").replace(";", ",").replace("%%", "% %").split())
    return re.sub("direction (?=TB|BT|LR|RL)", "direction: ", words)


def _quoted(text: str) -> str:
    """A string of YAML, and of Mermaid."""
    return '"' + text.replace("\\", "\\\\").replace('"', "'") + '"'
