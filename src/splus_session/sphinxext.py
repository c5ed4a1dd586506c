"""Diagrams and tables of a life cycle in Sphinx documents.

    # conf.py
    extensions = ["splus_session.sphinxext"]

    .. session-diagram::
       :active: established
       :dropped:

    .. session-table:: mypackage.chart:MyChart
       :view: full

The options are those of `splus_session.diagram.Diagram`; `events` are separated by commas, and so are
`links`: a name, an equals sign and a URL. In HTML a diagram is an SVG, in LaTeX a PNG, and where no
picture can be shown, or the extra `diagram` is not installed, it is what the picture says, in words. Pages
are built anew when the chart's module changes; reading and writing in parallel are safe.
"""

import hashlib
import html
import re
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, cast

from splus_session import _lifecycle
from splus_session._errors import (
    ConfigurationError,
    InvalidArgumentError,
    MissingExtraError,
    SplusSessionError,
)
from splus_session._files import write_whole
from splus_session.diagram import Diagram, Table, chart_named
from splus_session.diagram._dot import SMALLEST
from splus_session.diagram._graphviz import Picture, draw

try:
    from docutils import nodes
    from docutils.parsers.rst import directives
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.transforms.post_transforms import SphinxPostTransform
    from sphinx.util import logging
    from sphinx.util.docutils import SphinxDirective
    from sphinx.util.typing import ExtensionMetadata, OptionSpec
except ImportError:
    raise MissingExtraError("sphinx") from None

__all__ = ["setup"]

logger = logging.getLogger(__name__)


class LifeCycle(nodes.General, nodes.Element):
    """A diagram, before it is known what it will be written as.

    It holds text alone: it is kept between builds, and what somebody's states are made of may be gone then.
    """


_OF_TABLES: OptionSpec = {
    "view": directives.unchanged_required,
    "events": directives.unchanged_required,
    "title": directives.unchanged_required,
}
_OF_DIAGRAMS: OptionSpec = {
    **_OF_TABLES,
    "initial": directives.unchanged_required,
    "active": directives.unchanged_required,
    "dropped": directives.flag,
    "direction": directives.unchanged_required,
    "theme": directives.unchanged_required,
    "links": directives.unchanged_required,
    "name": directives.unchanged,
}


class _Asked(SphinxDirective):
    """A directive about a life cycle: the session's, or a chart's that is named."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """See docutils."""
        try:
            return self.made(self._diagram())
        except SplusSessionError as error:
            self.env.note_reread()  # next time it may be well, and nobody knows what of
            raise self.error(str(error)) from None

    def made(self, diagram: Diagram) -> list[nodes.Node]:
        """What comes into the document."""
        raise NotImplementedError

    def _diagram(self) -> Diagram:
        asked: dict[str, Any] = {name: value for name, value in self.options.items() if name != "name"}
        if "events" in asked:
            asked["events"] = [event.strip() for event in asked["events"].split(",")]
        if "links" in asked:
            asked["links"] = _links(asked["links"])
        if "dropped" in asked:  # a flag has no value
            asked["dropped"] = True
        if not self.arguments:
            self._depend_on({_lifecycle.__name__})
            return Diagram(**asked)
        name = self.arguments[0]
        chart = chart_named(name)
        diagram = Diagram.of(chart, **asked)
        self._depend_on({name.partition(":")[0], *(kind.__module__ for kind in _made_of(chart))})
        return diagram

    def _depend_on(self, modules: set[str]) -> None:
        """Have the page built anew when one of these changes."""
        for module in sorted(modules):
            file = getattr(sys.modules.get(module), "__file__", None)
            if file is not None:
                self.env.note_dependency(file)


def _made_of(chart: Any) -> Iterator[type]:
    """The classes that a chart, or the rows of one, is made of: its own, and those of its states."""
    if isinstance(chart, type):
        yield from chart.__mro__
        values = [state.value for state in cast("Any", chart).states]
    else:
        values = [row.source for row in chart]
    yield from map(type, values)


class SessionDiagram(_Asked):
    """`.. session-diagram::`, a picture."""

    option_spec: ClassVar[OptionSpec | None] = _OF_DIAGRAMS

    def made(self, diagram: Diagram) -> list[nodes.Node]:
        """See `_Asked`."""
        node = LifeCycle(
            dot=diagram.to_dot(),
            title=diagram.title,
            both=self.options.get("theme", "both") == "both",
            words=diagram.in_words(),
        )
        self.set_source_info(node)
        self.add_name(node)
        return [node]


class SessionTable(_Asked):
    """`.. session-table::`, a table."""

    option_spec: ClassVar[OptionSpec | None] = _OF_TABLES

    def made(self, diagram: Diagram) -> list[nodes.Node]:
        """See `_Asked`."""
        table = diagram.table()
        made: list[nodes.Node] = [_table(table, self.options.get("title"))]
        if table.note:
            made.append(nodes.paragraph("", table.note))
        return made


# Made of nodes and not of text: the page's own parser may be one for Markdown.


def _table(table: Table, title: str | None) -> nodes.table:
    # Only plain text takes the widths: as wide as the longest cell is, but for long ones.
    columns = zip(table.head, *table.body, strict=True)
    widths = [min(max(map(len, cells)), max(24, *map(_longest_word, cells))) for cells in columns]
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in widths), cols=len(widths))
    group += nodes.thead("", _row(table.head))
    group += nodes.tbody("", *map(_row, table.body))
    caption = [] if title is None else [nodes.title("", title)]
    return nodes.table("", *caption, group, classes=["session-table", "colwidths-auto"])


def _row(cells: Sequence[str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *_words(cell))) for cell in cells))


def _longest_word(cell: str) -> int:
    return max(map(len, cell.split()), default=0)


def _words(cell: str) -> Iterator[nodes.Node]:
    """Names stand between backquotes."""
    for place, text in enumerate(cell.split("`")):
        if text:
            yield nodes.literal("", text) if place % 2 else nodes.Text(text)


def _links(text: str) -> Mapping[str, str]:
    links: dict[str, str] = {}
    # A URL may hold a comma, but hardly one with a name and an equals sign behind it.
    for line in filter(None, map(str.strip, re.split(r",(?=\s*\w+\s*=)|\n", text))):
        name, equals, url = line.partition("=")
        if not equals:
            raise InvalidArgumentError(f"a link is a name, an equals sign and a URL, and not {line!r}")
        links[name.strip()] = url.strip()
    return links


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────


def _file(builder: Builder, picture: bytes, ending: str) -> str:
    """Write a picture beside the others, under a name that says what it is; gives that name."""
    name = f"splus-session-{hashlib.sha256(picture).hexdigest()[:16]}.{ending}"
    folder = Path(builder.outdir, builder.imagedir)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    if not file.exists():
        write_whole(file, picture)
    return name


_WIDTH = re.compile(r'<svg [^>]*width="(\d+)pt"')
_LEGIBLE = 10
"""How high the smallest letters are at least on a screen, in pixels."""
_LARGE = 864
"""What is wider, in pixels, fits into no ordinary page."""


def _visit_html(self: Any, node: LifeCycle) -> None:
    ids = "".join(f' id="{each}"' for each in node["ids"][:1])
    svg = node["picture"].decode()
    found = _WIDTH.search(svg)
    width = round(int(found[1]) * _LEGIBLE / SMALLEST) if found else 0
    # Where there is less room it is moved about in, with keys as well; a large one as a whole stays in sight.
    look = "overflow:auto" + (";max-height:85vh" if width > _LARGE else "")
    self.body.append(
        f'<figure class="session-diagram"{ids} tabindex="0" role="region" '
        f'aria-label="{html.escape(node["title"])}" style="{look}">{_within_a_page(svg, width)}</figure>\n'
    )
    raise nodes.SkipNode


def _within_a_page(svg: str, width: int) -> str:
    """A picture as a part of a page: as wide as there is room, but so wide that it can be read; and dark if
    the page is, as far as it says so.

    Graphviz calls the parts of every picture the same, and a page may have several.
    """
    svg = re.sub(r' id="[^"]*"', "", svg[svg.index("<svg") :])
    svg = svg.replace("<svg ", f'<svg style="max-width:max(100%,{width}px);height:auto" ', 1)
    found = re.search(r"@media \(prefers-color-scheme:dark\)\{(.*)\}</style>", svg)
    if found is None:
        return svg
    # Furo and others tell of a reader's own choice like that.
    as_preferred = re.sub(r"(?<=[{}])\.|^\.", "body:not([data-theme=light]) .", found[1])
    as_chosen = re.sub(r"(?<=[{}])\.|^\.", "body[data-theme=dark] .", found[1])
    rules = f"@media (prefers-color-scheme:dark){{{as_preferred}}}{as_chosen}</style>"
    return svg[: found.start()] + rules + svg[found.end() :]


def _visit_latex(self: Any, node: LifeCycle) -> None:
    name = _file(self.builder, node["picture"], "png")
    labels = "".join(self.hypertarget(each, anchor=True) for each in node["ids"])
    self.body.append(f"\n{labels}\\noindent\\sphinxincludegraphics[width=\\linewidth]{{{name}}}\n")
    raise nodes.SkipNode


_FORMS: Mapping[str, Picture] = {"html": "svg", "latex": "png"}


class _Drawn(SphinxPostTransform):
    """Draws what the builder can show, and tells the rest in words."""

    default_priority = 500

    def run(self, **_: Any) -> None:
        """See docutils."""
        form = _FORMS.get(self.app.builder.format)
        for node in list(self.document.findall(LifeCycle)):
            if form is None or not self._drawn(node, form):
                node.replace_self(nodes.paragraph("", node["words"], ids=node["ids"]))

    def _drawn(self, node: LifeCycle, form: Picture) -> bool:
        try:
            node["picture"] = draw(
                node["dot"], form, title=node["title"], program=None, both=node["both"] and form == "svg"
            )
        except (MissingExtraError, ConfigurationError) as error:
            logger.warning("a diagram is told in words: %s", error, location=node, type="splus_session")
            return False
        return True


def setup(app: Sphinx) -> ExtensionMetadata:
    """What Sphinx calls."""
    app.add_node(LifeCycle, html=(_visit_html, None), latex=(_visit_latex, None))
    app.add_post_transform(_Drawn)
    app.add_directive("session-diagram", SessionDiagram)
    app.add_directive("session-table", SessionTable)
    of_library = version("splus-session")
    return {
        "version": of_library,
        "env_version": zlib.crc32(of_library.encode()),  # another one may draw otherwise
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
