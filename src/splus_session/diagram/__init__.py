"""Diagrams of a life cycle, drawn from the table that runs.

    from splus_session.diagram import Diagram

    Path("session.svg").write_bytes(Diagram(active=core.state).draw())
    Path("session.md").write_text(Diagram(view="full").to_markdown())

`Diagram` writes Graphviz's DOT, Mermaid, PlantUML, SCXML, JSON and tables in Markdown and reStructuredText
with nothing but this library; `Diagram.draw` makes pictures, and needs the extra `diagram`, whose wheel
brings its own Graphviz and its own fonts, so that the same diagram gives the same bytes on every machine.
`Diagram.of` does the same for a chart of your own.

`SequenceDiagram` draws what a flight recorder kept of a session: who said what to whom, in order.

**What a diagram may say.** Only what the table says, and what the names on its rows mean. Colour never
carries a meaning by itself, every ink has a contrast of at least 4.5 to every ground, and the ground is
opaque, because a page that shows the picture may be light or dark. What is drawn is also written out in
words, for those who listen.

**How it is made.** `_shown.py` says what is shown, in no language; each language has a module of its own;
`_graphviz.py` has Graphviz draw.
"""

from splus_session.diagram._diagram import FORMATS, Diagram, chart_named, format_of
from splus_session.diagram._palette import Theme
from splus_session.diagram._sequence import SequenceDiagram
from splus_session.diagram._shown import Direction, View
from splus_session.diagram._tables import Table

__all__ = [
    "FORMATS",
    "Diagram",
    "Direction",
    "SequenceDiagram",
    "Table",
    "Theme",
    "View",
    "chart_named",
    "format_of",
]
