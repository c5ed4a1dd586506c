"""One or several reports side by side, as a page of documentation.

It says nothing that differs from one run to the next, such as how long it took.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape

from splus_session._text import visible
from splus_session.conformance.reports._contents import company, counts, groups, hidden, level, parts, verdict
from splus_session.conformance.verdicts import Breach, Report, Result, Verdict
from splus_session.requirements import REQUIREMENTS, Requirement

__all__ = ["page"]

# What may begin or end something in Markdown wherever it stands; a colon, where it makes an address.
_ANYWHERE = re.compile(r"([\\`*_\[\]{}|~$]|:(?=//))")
# What does so at the beginning alone.
_BEGINNING = re.compile(r"^(\d*)([-+#=.)])")


def page(
    reports: Sequence[Report],
    *,
    title: str = "Conformance",
    header: str = "",
    catalogue: str = "requirements.md",
) -> str:
    """A matrix, a requirement a row and a subject a column, and all breaches below it.

    Args:
        reports: one for each subject, in the order of the columns.
        title: the page's heading.
        header: Markdown to begin with, between the heading and the matrix; a comment, say.
        catalogue: where the catalogue is, as a link from this page.

    Raises:
        ValueError: there are no reports, or they are not about the same requirements.
    """
    ids = {tuple(result.requirement for result in report.results) for report in reports}
    if len(ids) != 1:
        raise ValueError("a page needs reports, all about the same requirements")
    blocks = [f"# {plain(title)}", header.strip(), _subjects(reports), *_matrix(reports, catalogue)]
    for report in reports:
        blocks += _told(report, catalogue)
    return "\n\n".join(block for block in blocks if block) + "\n"


def plain(text: str) -> str:
    """A text from outside in one line, of which nothing is markup."""
    one_line = " ".join(visible(text).split())
    escaped = _BEGINNING.sub(r"\1\\\2", _ANYWHERE.sub(r"\\\1", one_line))
    return escape(escaped, quote=False)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _name(report: Report) -> str:
    return plain(f"{report.subject.name} {report.subject.version}")


def _subjects(reports: Sequence[Report]) -> str:
    verdicts = [kind.value for kind, _ in counts(reports[0])]
    headings = ["subject", *verdicts, "seed", "scenarios", "features"]
    lines = [_row(headings), _row(["---"] * len(headings))]
    for report in reports:
        numbers = [*(count for _, count in counts(report)), report.seed, report.budget]
        features = plain(", ".join(report.subject.features))
        lines.append(_row([_name(report), *map(str, numbers), features]))
    return "\n".join(lines)


def _matrix(reports: Sequence[Report], catalogue: str) -> Iterator[str]:
    """A table a group."""
    columns = [{result.requirement: result for result in report.results} for report in reports]
    for group, members in groups(reports[0].results):
        yield f"## {plain(group)}"
        rows = [_row(["id", "requirement", "level", "source", *map(_name, reports)])]
        rows.append(_row(["---"] * (4 + len(reports))))
        for requirement, _ in members:
            cells = [
                _cell(report, column[requirement.id]) for report, column in zip(reports, columns, strict=True)
            ]
            rows.append(
                _row(
                    [
                        _link(requirement, catalogue),
                        # The catalogue is Markdown itself.
                        requirement.title.replace("|", r"\|"),
                        level(requirement),
                        ", ".join(requirement.source),
                        *cells,
                    ]
                )
            )
        yield "\n".join(rows)


def _cell(report: Report, result: Result) -> str:
    words = verdict(report, result)
    if result.verdict is Verdict.BROKEN:
        return f"**{words}**"
    return f"{words}: {plain(result.why)}" if result.why else words


def _link(requirement: Requirement, catalogue: str) -> str:
    return f"[{requirement.id}]({catalogue}#{requirement.id.lower()})"


def _told(report: Report, catalogue: str) -> Iterator[str]:
    """The breaches of one report, and what else there is to complain about."""
    words = hidden(report)
    if not report.breaches and not report.troubles and words is None:
        return
    yield f"## Breaches: {_name(report)}"
    if words is not None:
        yield plain(words)
    for part in parts(report.breaches):
        yield f"### Broken: {part.title}"
        for breach in part.breaches:
            yield _breach(breach, catalogue)
    if report.troubles:
        yield "### Troubles"
        yield "\n".join(
            f"- {plain(trouble.requirement)}: {plain(trouble.sentence)}: {plain(trouble.text)}"
            for trouble in report.troubles
        )


def _breach(breach: Breach, catalogue: str) -> str:
    requirement = REQUIREMENTS[breach.requirement]
    lines = [f"**{_link(requirement, catalogue)}** {plain(breach.sentence)} ({level(requirement)})", ""]
    if breach.reason is not None:
        lines += [f"- known: {plain(breach.reason)}"]
    lines += [f"- expected: {plain(breach.expected)}", f"- observed: {plain(breach.observed)}"]
    lines += [*(f"- {when}: {plain(other)}" for when, other in company(breach)), ""]
    lines += [f"{position}. {plain(step)}" for position, step in enumerate(breach.steps, 1)]
    return "\n".join(lines).rstrip()
