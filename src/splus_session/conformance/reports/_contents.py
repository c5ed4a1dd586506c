"""What every report says, in one order and in the same words."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from attrs import frozen

from splus_session.conformance.verdicts import Breach, Report, Result, Verdict
from splus_session.requirements import REQUIREMENTS, Requirement


@frozen
class Part:
    """Breaches of one origin."""

    title: str
    """In a few words, to go on with after a colon."""
    origin: str
    """What this says of them, as a sentence."""
    breaches: tuple[Breach, ...]


def groups(results: Iterable[Result]) -> Iterator[tuple[str, list[tuple[Requirement, Result]]]]:
    """The results under the headings of the catalogue."""
    known = ((REQUIREMENTS[result.requirement], result) for result in results)
    for group, members in groupby(known, key=lambda pair: pair[0].group):
        yield group, list(members)


def parts(breaches: Iterable[Breach]) -> tuple[Part, ...]:
    """The breaches by origin, what the vendor promises first; an origin without any is left out."""
    told = tuple(breaches)
    both = (
        Part(
            "what the vendor's page promises",
            "The vendor's public page on authentication says that a client does this.",
            tuple(breach for breach in told if breach.is_promised),
        ),
        Part(
            "what follows from facts, or is this library's own promise",
            "The vendor's page does not say this: it follows from how the platform or the shipped SDKs "
            "behave, or this library alone promises it.",
            tuple(breach for breach in told if not breach.is_promised),
        ),
    )
    return tuple(part for part in both if part.breaches)


def level(requirement: Requirement) -> str:
    """How binding it is, with what is less so in it."""
    if requirement.should_part:
        return f"{requirement.level} ({requirement.should_part}: should)"
    return requirement.level


def company(breach: Breach) -> tuple[tuple[str, str], ...]:
    """What else was broken in its run, each with a word for when: where one mistake shows in several ways."""
    return (*(("before", other) for other in breach.after), *(("beside", other) for other in breach.beside))


def counts(report: Report) -> list[tuple[Verdict, int]]:
    """How many requirements have which verdict, what needs a look first."""
    order = (Verdict.BROKEN, Verdict.NOT_REACHED, Verdict.KEPT, Verdict.NOT_APPLICABLE)
    return [(kind, report.count(kind)) for kind in order]


def verdict(report: Report, result: Result) -> str:
    """A verdict in words, with how many breaches there are, and whether all were expected."""
    words: str = result.verdict.value
    if result.verdict is not Verdict.BROKEN:
        return words
    if len(result.breaches) > 1:
        words += f" ({len(result.breaches)} ways)"
    if result.breaches and not any(breach in report.unexpected for breach in result.breaches):
        words += ", as expected"
    return words


def number(count: int, thing: str, things: str | None = None) -> str:
    """A count with its noun: `1 breach`, `2 breaches`."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def hidden(report: Report) -> str | None:
    """What hides the rest, in one line, if anything does."""
    cut = report.cut_short
    if cut is None:
        return None
    ended = f"{cut.runs} of {number(cut.of, 'run')} ended at {cut.requirement}, {cut.sentence}"
    return f"{ended}: mend that first, it hides the rest."


def outcome(report: Report) -> str:
    """The whole in one line."""
    said: list[str] = []
    if report.unexpected:
        said.append(number(len(report.unexpected), "breach", "breaches"))
    if report.expected:
        said.append(number(len(report.expected), "expected breach", "expected breaches"))
    if report.troubles:
        said.append(number(len(report.troubles), "trouble"))
    return f"{'passed' if report.passed else 'failed'}: {', '.join(said) or 'no breach'}"
