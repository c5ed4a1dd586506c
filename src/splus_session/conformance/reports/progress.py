"""How far the judging is, while it goes on.

    with progress.start(terminal.console(stderr=True)) as shown:
        shown.played(1, 500, broken_so_far=0)

At a terminal one line is drawn again and again, and is gone afterwards. Elsewhere some plain lines tell.
"""

import abc
from types import TracebackType
from typing import Self

from splus_session._errors import MissingExtraError
from splus_session._text import visible
from splus_session.conformance.reports._contents import number

try:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TimeElapsedColumn
    from rich.progress import Progress as Bars
    from rich.table import Column
    from rich.text import Text
except ImportError:
    raise MissingExtraError("conformance") from None

__all__ = ["Progress", "start"]


class Progress(abc.ABC):
    """What is told of the progress. Leaving its block is `done`, also on an error."""

    @abc.abstractmethod
    def played(self, n: int, of: int, broken_so_far: int) -> None:
        """Tell that `n` scenarios of `of` were played, and how many requirements were seen broken."""

    @abc.abstractmethod
    def shortening(self, requirement: str, sentence: str, n: int, of: int) -> None:
        """Tell that of the breaches found the `n`-th, from 1 on, is being shortened."""

    @abc.abstractmethod
    def done(self) -> None:
        """Leave the terminal as it was. May be called twice."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, whatever happened."""
        self.done()


def start(to: Console) -> Progress:
    """A progress display that fits where it is written to."""
    if to.is_terminal and not to.is_dumb_terminal:
        return _Drawn(to)
    return _Told(to)


class _Told(Progress):
    """Plain lines: one for each tenth, and one for each requirement that is seen broken."""

    def __init__(self, to: Console) -> None:
        self._to = to
        self._told = (-1, 0)
        self._last = ""

    def played(self, n: int, of: int, broken_so_far: int) -> None:
        """Tell it, if it is news."""
        news = (n * 10 // of if of else 10, broken_so_far)
        if news != self._told:
            self._told = news
            self._say(f"played {n} of {number(of, 'scenario')}, {broken_so_far} broken")

    def shortening(self, requirement: str, sentence: str, n: int, of: int) -> None:
        """Tell it once."""
        self._say(f"shortening breach {n} of {of}: {requirement} {sentence}")

    def done(self) -> None:
        """There is nothing to clear away."""

    def _say(self, line: str) -> None:
        if line != self._last:
            self._last = line
            encoding = self._to.encoding
            shown = visible(line).replace("\n", " ").encode(encoding, "backslashreplace").decode(encoding)
            self._to.print(Text(shown), soft_wrap=True, highlight=False)


class _Words(ProgressColumn):
    """What a line is about; as much of it as there is room for."""

    def __init__(self) -> None:
        super().__init__(Column(ratio=1, no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        """As text, of which nothing is markup."""
        return Text(task.description)


class _Drawn(Progress):
    """A line with a bar. rich draws it four times a second at most, and not for each scenario."""

    def __init__(self, to: Console) -> None:
        self._bars = Bars(
            _Words(),
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=to,
            transient=True,
            expand=True,
            refresh_per_second=4,
            # What others write to standard output meanwhile may be going elsewhere than this.
            redirect_stdout=False,
        )
        self._task = self._bars.add_task("starting", total=None)
        self._bars.start()

    def played(self, n: int, of: int, broken_so_far: int) -> None:
        """Move the bar."""
        self._bars.update(self._task, completed=n, total=of, description=f"playing, {broken_so_far} broken")

    def shortening(self, requirement: str, sentence: str, n: int, of: int) -> None:
        """Use the bar for the breaches: the one that is worked at is not done yet."""
        words = " ".join(visible(f"shortening {requirement}: {sentence}").split())
        self._bars.update(self._task, completed=n - 1, total=of, description=words)

    def done(self) -> None:
        """Remove the bar and show the cursor again."""
        self._bars.stop()
