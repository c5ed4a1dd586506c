"""Where the scenes are played: headings, timelines that grow while you watch, checks, the summary."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from docs.examples.demo.journal import Entry, Journal
from splus_session import SessionState

PATIENCE = 60.0
"""How long a scene waits for what it promised, in seconds. It takes that long only to fail."""

WIDE = 110
"""The columns from which on there is room for what is said on the wire."""

_INDENT = (0, 0, 0, 2)
_COLOURS = {
    SessionState.NOT_LOGGED_IN: "bold cyan",
    SessionState.ESTABLISHING: "bold yellow",
    SessionState.ESTABLISHED: "bold green",
    SessionState.TOKEN_EXPIRED: "bold magenta",
    SessionState.TERMINATED: "bold red",
}


class BrokenPromiseError(Exception):
    """A scene did not go as promised. The message says what was."""


class Scene:
    """One scene: what it promised, and kept."""

    def __init__(self, title: str, outcome: str) -> None:
        self.title = title
        self.outcome = outcome
        """What came of it, if everything is kept."""
        self.began = time.time()
        """UTC seconds."""
        self.seconds = 0.0
        """How long it took."""
        self.kept: list[str] = []

    def check(self, promise: str, kept: bool) -> None:
        """See that something is as promised.

        Raises:
            BrokenPromiseError: it is not.
        """
        if not kept:
            raise BrokenPromiseError(promise)
        self.kept.append(promise)


class Stage:
    """Plays scenes on a terminal, or into a file: then without colour, 80 columns wide."""

    def __init__(self, console: Console, journal: Journal) -> None:
        self.scenes: list[Scene] = []
        """Those that were played."""
        self._console = console
        self._journal = journal
        self._began = time.time()

    def introduce(self, parties: dict[str, str]) -> None:
        """Say who is on stage."""
        self._headline("One life of a session, among three parties on this machine")
        table = Table.grid(padding=(0, 2, 0, 0))
        for party, who in parties.items():
            table.add_row(Text(party, "bold"), who)
        self._indented(table)
        self._print()
        self._indented("Tokens live for seconds, not for a month. Times are seconds since the start.")

    @contextmanager
    def scene(self, title: str, shows: str, *, outcome: str) -> Iterator[Scene]:
        """Play a scene: the block.

        Args:
            title: what it is called.
            shows: what there is to see, in a sentence or two.
            outcome: what will have come of it, for the summary.
        """
        scene = Scene(title, outcome)
        self.scenes.append(scene)
        self._headline(f"{len(self.scenes)}  {title}")
        self._indented(Text(shows, "italic"))
        self._print()
        try:
            with self._growing(scene):
                yield scene
        except Exception as error:
            self._indented(self._timeline(scene))
            kind = "" if isinstance(error, BrokenPromiseError) else f"{type(error).__name__}: "
            self._indented(_hanging("✗ ", f"{kind}{error}", "bold red"))
            raise
        scene.seconds = time.time() - scene.began
        self._indented(self._timeline(scene))
        self._print()
        for promise in scene.kept:
            self._indented(_hanging("✓ ", promise, "green"))

    @contextmanager
    def _growing(self, scene: Scene) -> Iterator[None]:
        """Show the timeline while it grows, where somebody watches; gone at the end of the block."""
        if not self._console.is_terminal:
            yield
            return
        with Live(
            get_renderable=lambda: Padding(self._timeline(scene), _INDENT),
            console=self._console,
            refresh_per_second=8,
            transient=True,
        ):
            yield

    def _timeline(self, scene: Scene) -> Table:
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(justify="right", style="dim", no_wrap=True, min_width=len("+99.99"))
        table.add_column(no_wrap=True, min_width=len("backend → platform"))
        table.add_column()
        wide = self._console.width >= WIDE
        if wide:
            table.add_column(style="dim", no_wrap=True)
        for entry, times in _counted(self._journal.since(scene.began)):
            wire = [entry.wire] if wide else []
            table.add_row(f"+{entry.at - self._began:.2f}", _who(entry), _what(entry, times), *wire)
        return table

    def summarise(self) -> None:
        """Say what came of all the scenes."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("", justify="right")
        table.add_column("scene", no_wrap=True)
        table.add_column("outcome")
        table.add_column("time", justify="right", no_wrap=True)
        for number, scene in enumerate(self.scenes, 1):
            table.add_row(str(number), scene.title, scene.outcome, f"{scene.seconds:.1f} s")
        self._headline("All as promised")
        self._indented(table)

    def _headline(self, title: str) -> None:
        self._print()
        self._print(Rule(Text(title, "bold"), align="left", style="dim"))

    def _indented(self, something: RenderableType) -> None:
        self._print(Padding(something, _INDENT, expand=False))

    def _print(self, something: RenderableType = "") -> None:
        if self._console.is_terminal:
            self._console.print(something)
            return
        with self._console.capture() as drawn:
            self._console.print(something)
        # What fills a table's last column up is of no use in a file.
        for line in drawn.get().splitlines():
            self._console.out(line.rstrip(), highlight=False)


def _counted(entries: list[Entry]) -> Iterator[tuple[Entry, int]]:
    """Entries; of several in a row that say the same only the first, and how many there are."""
    for _, same in groupby(entries, _said):
        first, *others = same
        yield first, 1 + len(others)


def _said(entry: Entry) -> tuple[object, ...]:
    # What failed is shown each time: when it was tried again is what one wants to see.
    when = entry.at if _shade(entry.answer) == "red" and entry.answer else None
    return (entry.source, entry.target, entry.what, entry.answer, when)


def _who(entry: Entry) -> Text:
    if entry.target is None:
        return Text(entry.source.value)
    return Text(f"{entry.source.value} → {entry.target.value}")


def _what(entry: Entry, times: int) -> Text:
    if entry.change is not None:
        return Text(f"● {entry.what}", _COLOURS[entry.change.state])
    text = Text(entry.what if times == 1 else f"{times} × {entry.what}")
    return text.append(f" → {entry.answer}", _shade(entry.answer)) if entry.answer else text


def _shade(answer: str) -> str:
    return "green" if answer.startswith("2") else "dim" if answer == "…" else "red"


def _hanging(mark: str, sentence: str, style: str) -> Table:
    grid = Table.grid()
    grid.add_column(no_wrap=True, style=style)
    grid.add_column()
    grid.add_row(mark, sentence)
    return grid
