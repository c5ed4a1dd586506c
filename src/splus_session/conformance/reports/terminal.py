"""A report for people at a terminal, and how far the judging is until there is one.

What is not a terminal gets the same words in plain lines. rich respects `NO_COLOR`.
"""

from collections.abc import Callable, Iterable

from splus_session._errors import MissingExtraError
from splus_session._text import visible
from splus_session.conformance.reports._contents import (
    company,
    counts,
    groups,
    hidden,
    level,
    number,
    outcome,
    parts,
    verdict,
)
from splus_session.conformance.verdicts import Breach, Report, Result, Verdict
from splus_session.requirements import REQUIREMENTS

try:
    from rich.console import Console
    from rich.text import Text
except ImportError:
    raise MissingExtraError("conformance") from None

__all__ = ["console", "summary"]

_STYLES = {
    Verdict.KEPT: "green",
    Verdict.BROKEN: "bold red",
    Verdict.NOT_REACHED: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
}
_VERDICT_WIDTH = 21  # of "broken, as expected", with a gap


def console(*, stderr: bool = False) -> Console:
    """Where to write: standard output for what is asked for, standard error for how far it is."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def summary(report: Report, to: Console, *, replay: Callable[[Breach], str]) -> None:
    """Write all that came of judging one client, the shortest version of it last.

    Args:
        report: what came of it.
        to: where to write; it is wrapped at its width.
        replay: the command that replays one breach; it stands in a line of its own and is not wrapped.
    """
    write = _Writer(to)
    _head(report, write)
    _matrix(report, write)
    for part in parts(report.unexpected):
        write.heading(f"Broken: {part.title}")
        write(part.origin, style="dim")
        for breach in part.breaches:
            _breach(breach, write, replay)
    if report.expected:
        write.heading("Expected breaches")
        for breach in report.expected:
            write(breach.sentence, label=breach.requirement, indent=13)
            if breach.reason is not None:
                write(breach.reason, indent=13, style="dim")
    if report.troubles:
        write.heading("Troubles")
        for trouble in report.troubles:
            write(trouble.sentence, label=trouble.requirement, indent=13)
            write(trouble.text, indent=13, style="yellow")
    write.gap()
    if (words := hidden(report)) is not None:
        write(words, style="yellow")
    write(outcome(report), style="bold green" if report.passed else "bold red")


class _Writer:
    """Writes paragraphs with a hanging indent.

    rich would fill lines with spaces up to the width, which is a nuisance to whoever copies them.
    """

    def __init__(self, to: Console) -> None:
        self._to = to

    def __call__(
        self, text: str, *, label: str = "", indent: int = 0, style: str = "", label_style: str = "bold"
    ) -> None:
        """Write a paragraph, with a label in the space that its indent leaves."""
        room = max(20, self._to.width - indent)
        lines = Text(self._printable(text), style).wrap(self._to, room)
        for line in lines:
            line.rstrip()
            self._put(Text.assemble((self._printable(label).ljust(indent), label_style), line))
            label = ""

    def heading(self, text: str) -> None:
        """Write a heading."""
        self.gap()
        self(text, style="bold underline")

    def gap(self) -> None:
        """Leave a line empty."""
        self._put(Text())

    def verbatim(self, text: str, *, indent: int) -> None:
        """Write lines as they are, to be copied."""
        for line in self._printable(text).split("\n"):
            self._put(Text(" " * indent + line))

    def _put(self, line: Text) -> None:
        line.rstrip()
        self._to.print(line, soft_wrap=True, highlight=False)

    def _printable(self, text: str) -> str:
        """The text without what the terminal would obey, or could not show."""
        encoding = self._to.encoding
        return visible(text).encode(encoding, "backslashreplace").decode(encoding)


def _head(report: Report, write: _Writer) -> None:
    subject = report.subject
    write(f"{subject.name} {subject.version}", style="bold")
    if subject.command is not None:
        write(subject.command, label="command", indent=10, label_style="")
    write(", ".join(subject.features) or "none", label="features", indent=10, label_style="")
    played = f"{number(report.budget, 'scenario')} with seed {report.seed}"
    took = f"{number(report.runs, 'run')} in {report.seconds:.1f} seconds"
    write(f"{played}, {took}", label="played", indent=10, label_style="")
    told = ", ".join(f"{count} {kind.value}" for kind, count in counts(report))
    write(told, label="verdicts", indent=10, label_style="")


def _matrix(report: Report, write: _Writer) -> None:
    for group, members in groups(report.results):
        write.heading(group)
        for requirement, result in members:
            label = f"{requirement.id:13}{verdict(report, result):{_VERDICT_WIDTH}}"
            should = " (should)" if requirement.level == "should" else ""
            write(
                requirement.title + should,
                label=label,
                indent=max(13 + _VERDICT_WIDTH, len(label.rstrip()) + 1),
                label_style=_STYLES[result.verdict],
            )
            if why := _why(result):
                write(why, indent=13 + _VERDICT_WIDTH, style="dim")


def _why(result: Result) -> str | None:
    return result.why if result.verdict is Verdict.NOT_APPLICABLE else None


def _breach(breach: Breach, write: _Writer, replay: Callable[[Breach], str]) -> None:
    requirement = REQUIREMENTS[breach.requirement]
    write.gap()
    write(
        f"{breach.sentence} [{level(requirement)}]",
        label=breach.requirement,
        indent=13,
        label_style="bold red",
    )
    write(breach.expected, label="  expected", indent=13, label_style="")
    write(breach.observed, label="  observed", indent=13, label_style="")
    for when, other in company(breach):
        write(other, label=f"  {when}", indent=13, label_style="", style="dim")
    _steps(breach.steps, write)
    write("", label="  replay", indent=13, label_style="")
    write.verbatim(replay(breach), indent=4)


def _steps(steps: Iterable[str], write: _Writer) -> None:
    told = list(steps)
    write(number(len(told), "step"), label="  seen in", indent=13, label_style="")
    for position, step in enumerate(told, 1):
        write(step, label=f"{position:>15}.", indent=17, label_style="dim")
