"""Reports for programs, for CI and for documentation."""

import re
from collections import Counter
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as ET

import attrs
import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from splus_session._text import visible
from splus_session.conformance.reports import as_json, junit, markdown
from splus_session.conformance.reports._contents import outcome, parts
from splus_session.conformance.verdicts import Report, Result, Trouble, Verdict
from splus_session.requirements import REQUIREMENTS
from tests.conformance import made_up, strategies
from tests.conformance.made_up import NASTY, replay
from tests.processes import output

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "docs" / "reference" / "requirements.md"

# ── What all say ────────────────────────────────────────────────────────────────────────────────────


def test_the_made_up_report_has_all_there_is_to_show() -> None:
    report = made_up.report()
    assert {result.verdict for result in report.results} == set(Verdict)
    assert {breach.is_promised for breach in report.unexpected} == {True, False}
    assert {REQUIREMENTS[breach.requirement].level for breach in report.breaches} == {"must", "should"}
    assert [result.requirement for result in report.results] == list(REQUIREMENTS)
    assert [breach.requirement for breach in report.expected] == ["LOGOUT-1"]


def test_what_the_vendor_promises_comes_first() -> None:
    promised, other = parts(made_up.breaches())
    assert {breach.requirement for breach in promised.breaches} == {"LOGIN-2", "RENEW-4", "LOGOUT-1"}
    assert {breach.requirement for breach in other.breaches} == {
        "CLIENT-2",
        "LOGIN-10",
        "RENEW-1",
        "OBSERVE-3",
    }
    assert [part.title for part in parts(other.breaches)] == [other.title]


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert visible("a\x1b[2J\x00b\r\nc\td\u202ee\ud800f\u2028g\x85h") == (
        "a\\x1b[2J\\x00b\nc\td\\u202ee\\ud800f\\u2028g\\x85h"
    )
    assert visible("漢字 🦊 👩‍👩‍👧 é") == "漢字 🦊 👩‍👩‍👧 é"


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (made_up.clean(), "passed: no breach"),
        (made_up.report(), "failed: 7 breaches, 1 expected breach, 2 troubles"),
        (made_up.report(unexpected=(), troubles=()), "passed: 8 expected breaches"),
        (attrs.evolve(made_up.clean(), troubles=(Trouble("BAN-1", "s", "t"),)), "failed: 1 trouble"),
    ],
)
def test_the_outcome_is_one_line(report: Report, words: str) -> None:
    assert outcome(report) == words


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────


@given(strategies.reports())
def test_a_report_goes_to_json_and_back(report: Report) -> None:
    assert as_json.load(as_json.dump(report)) == report


def test_equal_reports_are_equal_bytes_in_ascii() -> None:
    report = made_up.report()
    [first, *others] = report.unexpected
    turned = attrs.evolve(
        first, scenario=tuple(dict(reversed(list(step.items()))) for step in first.scenario)
    )
    assert turned == first
    assert as_json.dump(attrs.evolve(report, unexpected=(turned, *others))) == as_json.dump(report)
    assert as_json.dump(report).isascii()
    assert as_json.dump(report).endswith("}\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "not a JSON object"),
        ("{}", "but in None"),
        ('{"format": 2}', "but in 2"),
        ('{"format": 1}', "results"),
        (as_json.dump(made_up.clean()).replace('"kept"', '"fine"', 1), "fine"),
        (as_json.dump(made_up.clean()).replace('"seed"', '"seeds"', 1), "seed"),
        (as_json.dump(made_up.clean())[:-3], "no report: it is not JSON"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        as_json.load(text)


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json.dump(made_up.report(seconds=float("nan")))


# ── JUnit ───────────────────────────────────────────────────────────────────────────────────────────

# What the readers of this form agree on: allowed attributes, required ones, children.
SHAPE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors", "skipped"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "time", "tests", "failures", "errors", "skipped"},
        {"name", "tests"},
        {"properties", "testcase"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set()),
    "testcase": (
        {"name", "classname", "time"},
        {"name", "classname"},
        {"skipped", "failure", "error", "system-out"},
    ),
    "skipped": ({"message"}, {"message"}, set()),
    "failure": ({"message", "type"}, {"message", "type"}, set()),
    "error": ({"message", "type"}, {"message", "type"}, set()),
    "system-out": (set(), set(), set()),
}


def suite_of(report: Report) -> ET.Element:
    root = ET.fromstring(junit.dump(report, replay=replay).encode())  # noqa: S314  we made it
    for element in root.iter():
        allowed, required, children = SHAPE[element.tag]
        assert required <= set(element.keys()) <= allowed, element.tag
        assert {child.tag for child in element} <= children, element.tag
    [suite] = root
    cases = suite.findall("testcase")
    for counted in (root, suite):
        assert int(counted.attrib["tests"]) == len(cases)
        for attribute, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
            assert int(counted.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)
    return suite


def kind_of(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag != "system-out"), "passed")


def test_junit_has_a_case_for_each_requirement() -> None:
    suite = suite_of(made_up.report())
    cases = suite.findall("testcase")
    assert [case.attrib["name"].split()[0] for case in cases] == list(REQUIREMENTS)
    assert Counter(map(kind_of, cases)) == {"failure": 6, "error": 2, "skipped": 13 + 1, "passed": 36}
    assert len(suite.findall(".//failure")) == 7


def test_junit_says_why_something_is_skipped() -> None:
    suite = suite_of(made_up.report())
    said = {
        case.attrib["name"].split()[0]: skipped.attrib["message"]
        for case in suite.findall("testcase")
        for skipped in case.findall("skipped")
    }
    assert said["HOOK-1"] == "not applicable: the client does not declare `hooks`"
    assert said["BAN-2"].startswith("not reached")
    assert said["LOGOUT-1"] == "expected: a logout ends in notLoggedIn: SDK 6.35 stays terminated, #12"


def test_junit_fails_where_one_of_two_breaches_is_unexpected_and_keeps_the_other() -> None:
    report = made_up.report()
    first, second = report.result("LOGIN-2").breaches
    known = attrs.evolve(second, reason="since 6.30")
    results = tuple(
        attrs.evolve(it, breaches=(first, known)) if it.requirement == "LOGIN-2" else it
        for it in report.results
    )
    report = attrs.evolve(report, results=results, unexpected=(first,))
    [case] = [case for case in suite_of(report) if case.get("name", "").startswith("LOGIN-2 ")]
    assert [child.tag for child in case] == ["failure", "system-out"]
    assert "since 6.30" in str(case[1].text)


def test_junit_is_red_for_a_trouble_whatever_the_verdict() -> None:
    results = (Result("BAN-1", Verdict.NOT_REACHED), Result("BAN-2", Verdict.KEPT))
    troubles = (Trouble("BAN-1", "s", "is gone"), Trouble("LOGIN-1", "s", "is gone too"))
    suite = suite_of(made_up.report(results=results, unexpected=(), troubles=troubles))
    assert [kind_of(case) for case in suite.findall("testcase")] == ["error", "passed", "error"]


def test_junit_tells_how_to_see_a_breach_again() -> None:
    for failure in suite_of(made_up.report()).iter("failure"):
        assert "replay: splus-session conform --replay" in str(failure.text)
        assert "'<&>'" in str(failure.text)


@given(strategies.reports())
def test_junit_can_be_read_whatever_a_client_says(report: Report) -> None:
    suite = suite_of(report)
    failed = any(kind_of(case) in {"failure", "error"} for case in suite.findall("testcase"))
    assert failed is not report.passed


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────


def tokens_of(text: str) -> list[Token]:
    found: list[Token] = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        found += [token, *(token.children or [])]
    return found


def test_the_page_has_a_row_for_each_requirement_and_a_column_for_each_subject() -> None:
    page = markdown.page([made_up.report(), made_up.clean(), made_up.nasty()])
    tokens = tokens_of(page)
    rows = Counter(token.type for token in tokens)["tr_open"]
    groups = {requirement.group for requirement in REQUIREMENTS.values()}
    assert rows == len(REQUIREMENTS) + len(groups) + 1 + 3
    counted = Counter(token.type for token in tokens)
    assert counted["td_open"] == len(REQUIREMENTS) * (4 + 3) + 3 * 8
    assert "| **broken, as expected** | kept |" in page


def test_the_page_links_to_requirements_that_are_there() -> None:
    headings = re.findall(r"^### ([\w-]+)$", CATALOGUE.read_text("utf-8"), re.MULTILINE)
    anchors = {heading.lower() for heading in headings}
    linked = re.findall(r"\]\(requirements\.md#([\w-]+)\)", markdown.page([made_up.report()]))
    assert set(linked) <= anchors
    assert len(set(linked)) == len(REQUIREMENTS)


def test_the_page_does_not_tell_what_differs_between_two_runs() -> None:
    one, other = made_up.report(), made_up.report(seconds=99.9, runs=7)
    assert markdown.page([one]) == markdown.page([other])


def test_the_page_begins_with_what_it_is_given() -> None:
    page = markdown.page([made_up.clean()], title="Shipped SDKs", header="<!-- generated -->")
    assert page.startswith("# Shipped SDKs\n\n<!-- generated -->\n\n| subject |")


@pytest.mark.parametrize("reports", [[], [made_up.clean(), made_up.report(results=())]])
def test_a_page_of_reports_that_do_not_compare_is_refused(reports: list[Report]) -> None:
    with pytest.raises(ValueError, match="all about the same requirements"):
        markdown.page(reports)


MARKUP = [
    "html_inline",
    "html_block",
    "em_open",
    "s_open",
    "image",
    "code_block",
    "fence",
    "hr",
    "blockquote_open",
]


@given(strategies.reports())
def test_nothing_that_a_client_says_is_markup(report: Report) -> None:
    tokens = tokens_of(markdown.page([report]))
    assert not [token for token in tokens if token.type in MARKUP]
    links = {token.attrs["href"] for token in tokens if token.type == "link_open"}
    assert links <= {f"requirements.md#{name.lower()}" for name in REQUIREMENTS}
    counted = Counter(token.type for token in tokens)
    assert counted["td_open"] == len(report.results) * 5 + 8
    troubles = len(report.troubles)
    known = sum(breach.reason is not None for breach in report.breaches)
    steps = sum(len(breach.steps) for breach in report.breaches)
    assert counted["list_item_open"] == 2 * len(report.breaches) + known + steps + troubles


@pytest.mark.parametrize(
    "text", ["1. a", "- a", "# a", "+ a", "=== a", "> a", "* a", "| a", "    a", "a  \nb", "1) a"]
)
def test_nothing_at_the_beginning_of_a_text_is_markup(text: str) -> None:
    types = [token.type for token in tokens_of(markdown.plain(text))]
    assert [kind for kind in types if kind not in {"text", "text_special"}] == [
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]


def test_an_address_does_not_become_a_link_by_itself() -> None:
    assert markdown.plain("see https://x.example: it is") == r"see https\://x.example: it is"


def test_a_text_that_means_harm_is_read_back_as_it_was() -> None:
    [inline] = [token for token in tokens_of(markdown.plain(NASTY)) if token.type == "inline"]
    assert "".join(child.content for child in inline.children or []) == visible(NASTY)


def test_all_reports_are_the_same_bytes_each_time() -> None:
    """Also in another process, where sets and dictionaries may be in another order."""
    program = """
        import hashlib
        from splus_session.conformance.reports import as_json, html, junit, markdown
        from tests.conformance.made_up import nasty, replay

        pages = [html.page(nasty(), replay=replay), junit.dump(nasty(), replay=replay), markdown.page([nasty()])]
        for text in [*pages, as_json.dump(nasty())]:
            print(hashlib.sha256(text.encode()).hexdigest())
        """
    one, other = (
        [*output(f"import sys; sys.path[:0] = [{str(ROOT)!r}]\n{dedent(program)}")] for _ in range(2)
    )
    assert one == other
    assert len(set(one)) == 4
