"""A life cycle as it is to be shown, in whatever language."""

import enum
import importlib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast, get_args

from splus_session._core import LIFECYCLE
from splus_session._errors import ConfigurationError, InvalidArgumentError, MissingExtraError
from splus_session._row import Row
from splus_session.diagram._dot import Dot
from splus_session.diagram._graphviz import Picture, draw
from splus_session.diagram._json import as_json
from splus_session.diagram._language import Language
from splus_session.diagram._mermaid import Mermaid
from splus_session.diagram._palette import Theme
from splus_session.diagram._plantuml import PlantUml
from splus_session.diagram._scxml import scxml
from splus_session.diagram._shown import (
    Direction,
    View,
    check_option,
    name_of,
    shown,
    states_of,
    title_of,
)
from splus_session.diagram._tables import Table, by_row, by_state

_URL: Final = re.compile(
    r"(?:https?:|mailto:|(?![a-z][a-z0-9+.-]*:))[\w!#$%&()*+,./:;=?@~'-]+", re.ASCII | re.IGNORECASE
)
"""Nothing in it ends a string, a link or a diagram in any of the languages."""

FORMATS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "dot": (".dot", ".gv"),
        "svg": (".svg",),
        "png": (".png",),
        "pdf": (".pdf",),
        "mermaid": (".mmd", ".mermaid"),
        "plantuml": (".puml", ".plantuml"),
        "scxml": (".scxml",),
        "json": (".json",),
        "markdown": (".md",),
        "rst": (".rst",),
    }
)
"""What a diagram may be written as, and how the names of such files end."""


def format_of(path: Path) -> str:
    """As what a file is to be written, by its name's end.

    Raises:
        InvalidArgumentError: no format's files are called so.
    """
    for form, endings in FORMATS.items():
        if path.suffix.lower() in endings:
            return form
    known = ", ".join(ending for endings in FORMATS.values() for ending in endings)
    raise InvalidArgumentError(f"{path} does not end as any format's files do: {known}")


def chart_named(name: str) -> Any:
    """What `package.module:Chart` names: a chart for `Diagram.of`. Its module is imported.

    Raises:
        InvalidArgumentError: it is no such name, or there is nothing of that name.
    """
    module, colon, attribute = name.partition(":")
    if not module or module.startswith(".") or not colon or not attribute:
        raise InvalidArgumentError(f"a chart is named as package.module:ChartClass, and not as {name!r}")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # whatever is wrong with it
        raise InvalidArgumentError(f"{name} cannot be had: {type(error).__name__}: {error}") from error
    return found


class Diagram:
    """A life cycle as it is to be shown. The same arguments give the same bytes everywhere, but for PDF.

    Args:
        lifecycle: the rows of any flat chart; without it, those of the session.
        view: `overview` has one arrow a pair of states, and says which events cause it and which of the
            client's hooks run; `full` has every row, with guards, commands and requirements.
        initial: the state that the chart begins in, or its name; without it, the first row's source.
        active: the state to show as the present one, or its name.
        path: the rows that were taken, one after the other: `[step.row for step in steps if step.row]`.
        events: the names of the only events to show; all, if empty.
        dropped: whether to say in each state which events find no row there.
        direction: where the arrows lead, `down` or `right`.
        theme: what kind of page it is for, `light`, `dark` or `both`: as whoever looks at it prefers, where
            the language can say so.
        links: by the name of a state or an event, the URL that it leads to. Those of events work in
            pictures and in DOT, those of states in Mermaid and PlantUML as well.
        title: what it is called.

    Raises:
        InvalidArgumentError: there are no rows; a state, an event or a step is none of theirs; a name cannot
            be written, or is another's too; a link is none; or an option is none of those that there are.
    """

    def __init__(
        self,
        lifecycle: Sequence[Row] = LIFECYCLE,
        *,
        view: View = "overview",
        initial: enum.Enum | str | None = None,
        active: enum.Enum | str | None = None,
        path: Sequence[Row] = (),
        events: Collection[str] = (),
        dropped: bool = False,
        direction: Direction = "down",
        theme: Theme = "both",
        links: Mapping[str, str] = MappingProxyType({}),
        title: str = "Life cycle of a social.plus session",
    ) -> None:
        check_option("view", view, View)
        check_option("direction", direction, Direction)
        check_option("theme", theme, Theme)
        if isinstance(events, str):
            raise InvalidArgumentError(f"events are several names, and not {events!r}")
        self._title = title_of(title)
        rows: Sequence[Any] = lifecycle
        if not all(isinstance(row, Row) for row in rows):
            raise InvalidArgumentError("a life cycle is made of rows; a chart's diagram is Diagram.of(chart)")
        self._shown = shown(
            lifecycle,
            view=view,
            initial=initial,
            active=active,
            path=path,
            events=events,
            dropped=dropped,
        )
        self._lifecycle = tuple(lifecycle)
        self._events = frozenset(events)
        self._view: View = view
        self._initial = self._shown.begins
        self._direction: Direction = direction
        self._theme: Theme = theme
        self._links: dict[str, Any] = dict(links)
        words = {*map(name_of, states_of(lifecycle)), *(row.event for row in lifecycle)}
        for name, link in self._links.items():
            if name not in words:
                raise InvalidArgumentError(f"there is no state or event {name!r} that could lead anywhere")
            if not isinstance(link, str) or not _URL.fullmatch(link):
                raise InvalidArgumentError(f"{link!r} is no URL of the web or of this site")

    def __repr__(self) -> str:
        states = ", ".join(map(name_of, self._shown.boxes))
        return f"<{self._view} of {self._title!r}: {states}>"

    @classmethod
    def of(cls, chart: Any, **options: Any) -> "Diagram":
        """A diagram of a chart of your own, or of its rows.

        Args:
            chart: a `StateChart` that is declared as `SessionChart` is; or rows.
            options: see `Diagram`. Those of a chart are called as it is, and begin where it does.

        Raises:
            ChartError: the chart has what a flat table cannot hold.
            InvalidArgumentError: see `Diagram`; or this is neither a chart nor rows.
        """
        if isinstance(chart, type) and hasattr(chart, "states_map"):
            from splus_session._table import (
                compile_chart,  # needs python-statemachine, which is slow to import
            )

            drawn: Any = chart
            initial = next((state.value for state in drawn.states if state.initial), None)
            own: dict[str, Any] = {"title": drawn.__name__, "initial": initial}
            return cls(compile_chart(drawn), **(own | options))
        if isinstance(chart, tuple | list) and all(isinstance(row, Row) for row in cast("list[Any]", chart)):
            return cls(cast("Sequence[Row]", chart), **options)
        raise InvalidArgumentError(f"{chart!r} is neither a StateChart nor its rows")

    @property
    def title(self) -> str:
        """What it is called."""
        return self._title

    def in_words(self) -> str:
        """All that the picture shows, as sentences."""
        return self._shown.in_words()

    @property
    def _rows(self) -> tuple[Row, ...]:
        """Those of the chosen events."""
        return tuple(row for row in self._lifecycle if not self._events or row.event in self._events)

    def render(self, form: str, *, program: str | None = None) -> bytes:
        """The diagram in any of the `FORMATS`; text is in UTF-8.

        Raises:
            InvalidArgumentError: there is no such format.
            MissingExtraError, ConfigurationError: see `draw`.
        """
        if form in get_args(Picture):
            return self.draw(cast("Picture", form), program=program)
        if form not in FORMATS:
            raise InvalidArgumentError(f"{form!r} is no format; there are {', '.join(FORMATS)}")
        text: str = getattr(self, f"to_{form}")()
        return text.encode()

    def to_dot(self) -> str:
        """Graphviz's language."""
        return self._in(Dot)

    def to_mermaid(self) -> str:
        """Mermaid's language, which GitHub and many others draw by themselves."""
        return self._in(Mermaid)

    def to_plantuml(self) -> str:
        """PlantUML's language."""
        return self._in(PlantUml)

    def _in(self, language: type[Language]) -> str:
        look = self._view, self._theme, self._direction
        return language(self._shown, *look, self._links, self._title).text()

    def to_scxml(self) -> str:
        """SCXML, the W3C's language for state machines. It has every row, whatever the view, and runs."""
        return scxml(self._rows, states_of(self._lifecycle), self._initial, self._title)

    def to_json(self) -> str:
        """JSON, with every row, whatever the view. `_json.py` says what is where."""
        return as_json(self._rows, states_of(self._lifecycle), self._initial, self._title)

    def to_markdown(self) -> str:
        """The table in Markdown."""
        return self.table().markdown()

    def to_rst(self) -> str:
        """The table in reStructuredText."""
        return self.table().rst(self._title)

    def table(self) -> Table:
        """As a table: in the overview what each event leads to in each state, else every row."""
        if self._view == "overview":
            return by_state(self._rows, states_of(self._lifecycle))
        return by_row(self._lifecycle, self._rows)

    def draw(self, form: Picture = "svg", *, program: str | None = None) -> bytes:
        """Have Graphviz draw it.

        Args:
            form: `svg`, `png` or `pdf`.
            program: a Graphviz of your own, such as `"dot"`; other versions give other bytes. Without
                it, the one that the extra `diagram` pins, and for `pdf` the system's `dot`.

        Raises:
            InvalidArgumentError: there is no such form.
            MissingExtraError: the extra `diagram` is not installed.
            ConfigurationError: there is no such program.
        """
        return draw(self.to_dot(), form, title=self._title, program=program, both=self._theme == "both")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows; where nothing can be drawn, words."""
        try:
            return {"text/plain": repr(self), "image/svg+xml": self.draw("svg").decode()}
        except (MissingExtraError, ConfigurationError):
            return {"text/plain": self.in_words()}
