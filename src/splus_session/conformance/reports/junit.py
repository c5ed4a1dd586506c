"""A report as the XML that CI servers read: one test case for each requirement."""

from collections.abc import Callable
from xml.etree import ElementTree as ET  # builds and never reads

from splus_session._text import visible
from splus_session.conformance.reports._contents import company, groups, level, parts
from splus_session.conformance.verdicts import Breach, Report, Result, Trouble, Verdict
from splus_session.requirements import REQUIREMENTS, Requirement

__all__ = ["dump"]


def dump(report: Report, *, replay: Callable[[Breach], str]) -> str:
    """The report as JUnit's XML.

    A case has a `failure` for each unexpected breach and an `error` for each trouble. It is `skipped` if
    nothing can be said, or if all its breaches were expected. The attributes count cases, not elements.

    Args:
        report: what came of judging.
        replay: the command that replays one breach.
    """
    suite = ET.Element("testsuite", name=visible(report.subject.name))
    _add_properties(suite, report)
    for group, members in groups(report.results):
        for requirement, result in members:
            classname = visible(f"{report.subject.name}.{group}")
            name = f"{requirement.id} {requirement.title}"
            case = ET.SubElement(suite, "testcase", classname=classname, name=name, time="0")
            _judge(case, requirement, result, report, replay)
    for trouble in report.troubles:
        # Nothing that fails the whole may be lost, be its requirement among the results or not.
        if all(result.requirement != trouble.requirement for result in report.results):
            case = ET.SubElement(suite, "testcase", classname="trouble", name=visible(trouble.requirement))
            _add(case, "error", _message(trouble), trouble.text, kind="trouble")
    cases = suite.findall("testcase")
    count = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    root = ET.Element("testsuites", name="splus-session conform")
    for element in (root, suite):
        element.attrib |= {name: str(cases) for name, cases in count.items()}
        element.set("time", f"{report.seconds:.3f}")
    root.append(suite)
    ET.indent(root)
    declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return declaration + ET.tostring(root, encoding="unicode") + "\n"


def _add_properties(suite: ET.Element, report: Report) -> None:
    subject = report.subject
    properties = ET.SubElement(suite, "properties")
    told = {
        "version": subject.version,
        "features": " ".join(subject.features),
        "command": subject.command or "",
        "seed": str(report.seed),
        "budget": str(report.budget),
        "runs": str(report.runs),
    }
    for name, value in told.items():
        ET.SubElement(properties, "property", name=name, value=visible(value))


def _judge(
    case: ET.Element,
    requirement: Requirement,
    result: Result,
    report: Report,
    replay: Callable[[Breach], str],
) -> None:
    """Put into a case what became of it. Whoever reads one element alone reads the gravest."""
    unexpected = [breach for breach in result.breaches if breach in report.unexpected]
    expected = [breach for breach in result.breaches if breach not in report.unexpected]
    troubles = [trouble for trouble in report.troubles if trouble.requirement == requirement.id]
    for breach in unexpected:
        _add(case, "failure", breach.sentence, _told(breach, replay), kind=level(requirement))
    for trouble in troubles:
        _add(case, "error", _message(trouble), trouble.text, kind="trouble")
    if not unexpected and not troubles and (why := _why_skipped(result, expected)):
        ET.SubElement(case, "skipped", message=visible(why))
    if expected:
        said = "\n\n".join(f"expected: {breach.reason}\n{_told(breach, replay)}" for breach in expected)
        ET.SubElement(case, "system-out").text = visible(said)


def _why_skipped(result: Result, expected: list[Breach]) -> str | None:
    match result.verdict:
        case Verdict.KEPT:
            return None
        case Verdict.BROKEN:
            return "; ".join(f"expected: {breach.sentence}: {breach.reason}" for breach in expected)
        case Verdict.NOT_REACHED:
            return "not reached: nothing that it speaks of happened"
        case Verdict.NOT_APPLICABLE:
            return f"not applicable: {result.why}" if result.why else "not applicable"


def _add(case: ET.Element, tag: str, message: str, text: str, *, kind: str) -> None:
    element = ET.SubElement(case, tag, message=visible(message), type=kind)
    element.text = visible(text)


def _message(trouble: Trouble) -> str:
    return f"{trouble.sentence}: {trouble.text}"


def _told(breach: Breach, replay: Callable[[Breach], str]) -> str:
    [part] = parts([breach])
    steps = [f"{position}. {step}" for position, step in enumerate(breach.steps, 1)]
    return "\n".join(
        [
            f"{breach.requirement}: {REQUIREMENTS[breach.requirement].text}",
            part.origin,
            "",
            f"expected: {breach.expected}",
            f"observed: {breach.observed}",
            *(f"{when}: {other}" for when, other in company(breach)),
            "",
            *steps,
            "",
            f"replay: {replay(breach)}",
        ]
    )
