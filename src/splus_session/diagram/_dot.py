"""A diagram in DOT, Graphviz's language.

The text that is drawn is ASCII, but for what the states are called: the pinned Graphviz knows how
wide ASCII letters are and takes others for spaces, so that a typographic arrow would stick out.
"""

import enum
import html
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import frozen

from splus_session.diagram._language import Language
from splus_session.diagram._palette import Palette, palette
from splus_session.diagram._shown import RANKS, Place, View, lines, name_of

SMALLEST: Final = 9
"""How high the smallest letters are."""
_LEGEND: Final = 110  # so many letters are in a line of the legend,
_ARROW: Final[Mapping[View, int]] = {"overview": 26, "full": 44}  # beside an arrow,
_BOX: Final[Mapping[View, int]] = {"overview": 48, "full": 100}  # and in a box

_GAP: Final = '<tr><td height="3"></td></tr>'


@frozen
class Dot(Language):
    """Writes what is shown."""

    @property
    def colours(self) -> Palette:
        """What it is drawn in."""
        return palette(self.theme)

    def text(self) -> str:
        """The whole of it."""
        start = "(start)"
        while any(start == name_of(state) for state in self.shown.boxes):
            start += "_"
        boxes = [self._box(state, place) for state, place in self.shown.boxes.items()]
        arrows = [self._arrow(*pair, place) for pair, place in self.shown.arrows.items()]
        if self.shown.initial is not None:
            mark = f'fillcolor="{self.colours.ink}" height=0.15 label="" shape=circle width=0.15'
            boxes.insert(0, f"  {_quoted(start)} [{mark}]")
            arrows.insert(0, f"  {_quoted(start)} -> {_quoted(name_of(self.shown.initial))}")
        legend = [_row(line) for each in self.shown.legend for line in textwrap.wrap(each, _LEGEND)]
        return "\n".join(
            [
                f"digraph {_quoted(self.title)} {{",
                f"  desc={_quoted(self.shown.in_words())}",  # for `_graphviz.py`; it means nothing in DOT
                f"{self._settings()}  label=<{_table(legend)}>",
                "",
                *boxes,
                "",
                *arrows,
                "}\n",
            ]
        )

    def _settings(self) -> str:
        colours = self.colours
        text = f'fontcolor="{colours.ink}" fontname=Helvetica'
        return f"""\
  graph [bgcolor="{colours.paper}" {text} fontsize={SMALLEST} labeljust=l labelloc=b
         nodesep=0.2 pad=0.1 rankdir={RANKS[self.direction]} ranksep=0.4]
  node [color="{colours.line}" fillcolor="{colours.box}" {text} fontsize={SMALLEST}
        margin="0.1,0.06" penwidth=1.4 shape=box style="rounded,filled" width=1.6]
  edge [arrowsize=0.8 color="{colours.line}" {text} fontsize=10]
"""

    def _box(self, state: enum.Enum, place: Place) -> str:
        name = name_of(state)
        heading = f'<font point-size="14"><b>{_escaped(name)}</b></font>'
        rows, look = [f"<tr><td{self._link(name)}>{heading}</td></tr>"], ""
        if state is self.shown.active:
            rows.append("<tr><td><b>active now</b></td></tr>")
            look = f' fillcolor="{self.colours.active_box}" penwidth=2.5 peripheries=2'
        rows += self._rows(place, _BOX[self.view])
        return f"  {_quoted(name)} [label=<{_table(rows)}>{look}]"

    def _arrow(self, source: enum.Enum, target: enum.Enum, place: Place) -> str:
        look = " penwidth=2.5" if place.steps else ""
        rows = list(self._rows(place, _ARROW[self.view]))
        if self.direction == "right":  # lines run above and below what is written beside them
            rows = [_GAP, *rows, _GAP]
        return f"  {_quoted(name_of(source))} -> {_quoted(name_of(target))} [label=<{_table(rows)}>{look}]"

    def _rows(self, place: Place, width: int) -> Iterator[str]:
        """What is written in one place, in lines of about so many letters."""
        inks = {"hook": self.colours.hook, "remark": self.colours.remark}
        for line in lines(place, self.view, width, self.links):
            yield _row(line.text, inks.get(line.kind), self._link(line.event))

    def _link(self, name: str | None) -> str:
        link = None if name is None else self.links.get(name)
        return "" if link is None else f' href="{html.escape(link)}" tooltip="{_literally(name or "")}"'


def _table(rows: Iterable[str]) -> str:
    """Lines one below the other, to the left."""
    return f'<table border="0" cellborder="0" cellpadding="0" cellspacing="0">{"".join(rows)}</table>'


def _row(line: str, ink: str | None = None, link: str = "") -> str:
    """One line, with spaces before it and after it, so that it does not touch the arrow it stands by.

    What is the client's own is not in italics: the pinned Graphviz does not know how wide those are.
    """
    text = f"  {_escaped(line)}  "
    text = text if ink is None else f'<font color="{ink}">{text}</font>'
    return f'<tr><td align="left" height="13"{link}>{text}</td></tr>'


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("\\", r"\\")


def _literally(text: str) -> str:
    return html.escape(text).replace("\\", r"\\")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
