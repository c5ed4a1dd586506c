"""Pictures of a life cycle, drawn from the table that runs.

`to_dot` writes an *overview* in Graphviz's language: a box a state, one arrow a pair of states with
the events that cause it, and the client's hooks where they run. It needs nothing but this library.
`render_svg` turns that into a picture and needs the extra `diagram`, whose wheel brings its own
Graphviz and its own fonts, so that the same DOT gives the same bytes on every machine.

    from splus_session.diagram import render_svg, to_dot

    Path("session.svg").write_bytes(render_svg(to_dot(active=core.state)))

**What a picture may say.** Only what the table says. Colour never carries a meaning by itself, the
ink has a contrast of at least 4.5 to its ground, and the ground is opaque, because a page that shows
the picture may be light or dark. What is drawn is also written out in words, for those who listen.

**How it is made.** `_overview.py` says what is shown, in no language; `_dot.py` says it in DOT;
`_svg.py` has Graphviz draw that.
"""

from splus_session.diagram._dot import to_dot
from splus_session.diagram._svg import render_svg

__all__ = ["render_svg", "to_dot"]
