"""An overview in DOT, Graphviz's language.

The text that is drawn is ASCII, but for what the states are called: the pinned Graphviz knows how
wide ASCII letters are and takes others for spaces, so that a typographic arrow would stick out.
"""

import enum
import html
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from splus_session._core import LIFECYCLE
from splus_session._row import Row
from splus_session.diagram._overview import Caption, Overview, listed, name_of, overview

_START = "(start)"  # what the initial mark is called; hardly a state's name
_INK, _HOOK_INK, _LINE = "#1b2430", "#8a2c0d", "#3b4a5e"
_PAPER, _BOX, _ACTIVE_BOX = "#ffffff", "#eef2f7", "#fff1c2"
_ARROW_WIDTH, _BOX_WIDTH, _LEGEND_WIDTH = 26, 48, 110  # of a line of text, in letters

_SETTINGS = f"""\
  graph [bgcolor="{_PAPER}" fontcolor="{_INK}" fontname=Helvetica fontsize=9 labeljust=l labelloc=b
         nodesep=0.2 pad=0.1 rankdir=TB ranksep=0.4]
  node [color="{_LINE}" fillcolor="{_BOX}" fontcolor="{_INK}" fontname=Helvetica fontsize=9
        margin="0.1,0.06" penwidth=1.4 shape=box style="rounded,filled" width=1.6]
  edge [arrowsize=0.8 color="{_LINE}" fontcolor="{_INK}" fontname=Helvetica fontsize=10]
"""


def to_dot(
    lifecycle: Sequence[Row] = LIFECYCLE,
    *,
    active: enum.Enum | None = None,
    initial: enum.Enum | None = None,
    title: str = "Life cycle of a social.plus session",
) -> str:
    """The overview of a life cycle in Graphviz's DOT. The same arguments give the same text everywhere.

    Args:
        lifecycle: the rows of any flat chart; without it, those of the session.
        active: the state to show as the present one.
        initial: the state that the chart begins in; without it, the first row's source.
        title: what the picture is called.

    Raises:
        InvalidArgumentError: there are no rows, or `active` or `initial` is no state of theirs.
    """
    shown = overview(lifecycle, active=active, initial=initial)
    return "\n".join(
        [
            f"digraph {_quoted(title)} {{",
            f"  desc={_quoted(shown.in_words())}",  # for `_svg.py`; Graphviz itself does not know it
            f"{_SETTINGS}  label=<{_table(_legend(shown))}>",
            "",
            f'  {_quoted(_START)} [fillcolor="{_INK}" height=0.15 label="" shape=circle width=0.15]',
            *(_box(state, captions, state is active) for state, captions in shown.boxes.items()),
            "",
            f"  {_quoted(_START)} -> {_quoted(name_of(shown.initial))}",
            *(_arrow(source, target, captions) for (source, target), captions in shown.arrows.items()),
            "}\n",
        ]
    )


def _box(state: enum.Enum, captions: Iterable[Caption], is_active: bool) -> str:
    lines = _lines(captions, _BOX_WIDTH)
    heading = f'<tr><td><font point-size="14"><b>{_escaped(name_of(state))}</b></font></td></tr>'
    if is_active:
        heading += "<tr><td><b>active now</b></td></tr>"
    look = f' fillcolor="{_ACTIVE_BOX}" penwidth=2.5 peripheries=2' if is_active else ""
    return f"  {_quoted(name_of(state))} [label=<{_table(lines, heading)}>{look}]"


def _arrow(source: enum.Enum, target: enum.Enum, captions: Iterable[Caption]) -> str:
    lines = _lines(captions, _ARROW_WIDTH)
    return f"  {_quoted(name_of(source))} -> {_quoted(name_of(target))} [label=<{_table(lines)}>]"


def _legend(shown: Overview) -> Iterator[str]:
    yield _plain("On an arrow: the events that lead there. In a box: the events that stay there.")
    if shown.runs_hooks:
        yield _hook("runs ...: the client's own side effects, afterwards.")
    if shown.everywhere:
        words = f"In every state: {listed(shown.everywhere)}."
        yield from map(_plain, _wrapped(words, _LEGEND_WIDTH))


def _lines(captions: Iterable[Caption], width: int) -> Iterator[str]:
    """Captions as lines of about so many letters."""
    for caption in captions:
        yield from map(_plain, _wrapped(", ".join(caption.events), width))
        if caption.hooks:
            yield _hook(f"runs {', '.join(caption.hooks)}")


def _table(lines: Iterable[str], heading: str = "") -> str:
    """Lines one below the other, to the left, with a little air on either side."""
    rows = "".join(f'<tr><td align="left" height="13">{line}</td></tr>' for line in lines)
    return f'<table border="0" cellborder="0" cellpadding="0" cellspacing="0">{heading}{rows}</table>'


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _plain(text: str) -> str:
    """With spaces before it and after it, so that it does not touch the arrow it stands by."""
    return f"  {_escaped(text)}  "


def _hook(text: str) -> str:
    """Not in italics: the pinned Graphviz does not know how wide those are."""
    return f'<font color="{_HOOK_INK}">{_plain(text)}</font>'


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
