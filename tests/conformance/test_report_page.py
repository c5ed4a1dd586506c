"""The page for a browser, and the sequence diagrams in it."""

import html.parser
import itertools
import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._text import visible
from splus_session.conformance.reports import html as html_report
from splus_session.conformance.verdicts import Breach, Line, Report, Verdict
from splus_session.diagram._sequence_places import Diagram, lay_out, text_width, wrap
from splus_session.diagram._sequence_svg import in_words, sequence_diagram
from splus_session.requirements import REQUIREMENTS
from tests.conformance import made_up, strategies
from tests.conformance.made_up import NASTY, replay

VOID = {"meta", "link", "br", "input"}
SVG_ONES = {"path", "rect"}
KNOWN = {
    "html", "head", "meta", "link", "title", "style", "body", "header", "main", "nav", "section", "article",
    "h1", "h2", "h3", "h4", "p", "a", "code", "em", "span", "strong", "dl", "dt", "dd", "ul", "li", "ol", "br",
    "table", "thead", "tbody", "tr", "th", "td", "fieldset", "legend", "label", "input", "details", "summary",
    "pre", "div", "blockquote", "svg", "desc", "text", "path", "rect",
}  # fmt: skip


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]
    texts: list[str]
    """All text in it."""
    children: "list[Element]"


class Reader(html.parser.HTMLParser):
    """Reads a page, and fails on a tag that is not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[Element] = []
        self.all: list[Element] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute is there twice"
        element = Element(tag, {name: value or "" for name, value in attrs}, [], [])
        self.all.append(element)
        if self.open:
            self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SVG_ONES
        self.all.append(Element(tag, {name: value or "" for name, value in attrs}, [], []))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.texts.append(data)

    def of(self, tag: str) -> list[Element]:
        return [element for element in self.all if element.tag == tag]

    def by_id(self, name: str) -> Element:
        [found] = [element for element in self.all if element.attributes.get("id") == name]
        return found


def read(report: Report) -> Reader:
    return Reader(html_report.page(report, replay=replay))


def text_of(element: Element) -> str:
    return "".join(element.texts)


def test_each_breach_has_a_section_with_all_that_is_known_of_it() -> None:
    page = read(made_up.report())
    sections = page.of("article")
    report = made_up.report()
    assert len(sections) == len(report.breaches)
    ids = [section.attributes["id"] for section in sections]
    assert len(set(ids)) == len(ids)
    for breach in report.breaches:
        [section] = [
            it for it in sections if f"{breach.requirement}: {visible(breach.sentence)}" in text_of(it)
        ]
        told = text_of(section)
        plain = re.sub(r"[`*]", "", REQUIREMENTS[breach.requirement].text)
        assert plain in re.sub(r"[`*]", "", told)
        assert visible(breach.expected) in told
        assert visible(breach.observed) in told
        assert replay(breach) in told
        assert breach.reason is None or breach.reason in told
        for step in breach.steps:
            assert visible(step) in told


def test_promises_of_the_vendor_stand_first_then_the_rest_then_what_was_expected() -> None:
    page = read(made_up.report())
    assert [text_of(it) for it in page.of("h2")] == [
        "Broken: what the vendor's page promises",
        "Broken: what follows from facts, or is this library's own promise",
        "Broken, as expected",
        "Troubles",
        "All requirements",
    ]
    names = [section.attributes["id"] for section in page.of("article")]
    assert names == [
        "login-2-breach-1",
        "login-2-breach-2",
        "renew-4-breach-1",
        "client-2-breach-1",
        "login-10-breach-1",
        "renew-1-breach-1",
        "observe-3-breach-1",
        "logout-1-breach-1",
    ]


def test_each_requirement_has_its_verdict_in_words() -> None:
    report = made_up.report()
    rows = [row for row in read(report).of("tr") if "data-verdict" in row.attributes]
    assert [text_of(row.children[0]) for row in rows] == list(REQUIREMENTS)
    for row, result in zip(rows, report.results, strict=True):
        assert row.children[0].attributes == {"scope": "row"}
        assert text_of(row.children[2]).startswith(result.verdict.value)
        assert row.attributes["data-verdict"] == result.verdict.value.replace(" ", "-")


def test_there_is_a_filter_for_each_verdict_that_occurs_and_a_rule_for_it() -> None:
    page = html_report.page(made_up.report(), replay=replay)
    offered = [it.attributes["id"] for it in Reader(page).of("input")]
    assert offered == ["show-all", "show-broken", "show-not-reached", "show-kept", "show-not-applicable"]
    for verdict in Verdict:
        slug = verdict.value.replace(" ", "-")
        assert f"main:has(#show-{slug}:checked) tr[data-verdict]:not([data-verdict={slug}])" in page
    offered = [it.attributes["id"] for it in read(made_up.clean()).of("input")]
    assert offered == ["show-all", "show-kept"]


def test_a_clean_report_is_a_page_without_breaches() -> None:
    page = read(made_up.clean())
    assert page.of("article") == []
    assert "passed: no breach" in text_of(page.of("header")[0])


def harmless(page: str) -> Reader:
    """The page, of which nothing asks another host, runs, or came from a client as markup."""
    assert not re.search(r"url\(|@import|javascript:", page.split("</style>")[0])
    reader = Reader(page)
    assert {element.tag for element in reader.all} <= KNOWN
    ids = [element.attributes["id"] for element in reader.all if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in reader.all:
        assert not [name for name in element.attributes if name.startswith("on") or name in {"src", "style"}]
        href = element.attributes.get("href", "#")
        assert href == "data:," or href == "#" or href[1:] in ids
        for name in ("aria-labelledby",):
            assert set(element.attributes.get(name, "").split()) <= set(ids)
    headings = [int(it.tag[1]) for it in reader.all if re.fullmatch(r"h\d", it.tag)]
    assert headings[0] == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(headings))
    return reader


@pytest.mark.parametrize("make", [made_up.report, made_up.clean, made_up.nasty])
def test_the_page_asks_nobody_and_runs_nothing(make: Callable[[], Report]) -> None:
    page = html_report.page(make(), replay=lambda _: NASTY)
    harmless(page)
    addresses = set(re.findall(r"https?://[^\s\"'<]*", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "which is a name and not a place"
    assert "default-src 'none'" in page


@given(strategies.reports())
def test_nothing_that_a_client_says_is_markup(report: Report) -> None:
    harmless(html_report.page(report, replay=lambda breach: breach.sentence))


def test_what_means_harm_is_shown_as_it_is() -> None:
    page = read(made_up.nasty())
    assert text_of(page.of("h1")[0]) == f"Conformance of {visible(NASTY)} {visible(NASTY)}"
    assert page.of("script") == []


def test_the_command_to_copy_is_a_block_that_the_keyboard_reaches() -> None:
    page = read(made_up.report())
    blocks = [it for it in page.of("pre") if it.attributes.get("class") == "copy"]
    assert [text_of(it) for it in blocks] == [
        replay(breach)
        for requirement in [
            "LOGIN-2",
            "LOGIN-2",
            "RENEW-4",
            "CLIENT-2",
            "LOGIN-10",
            "RENEW-1",
            "OBSERVE-3",
            "LOGOUT-1",
        ]
        for breach in made_up.report().result(requirement).breaches[:1]
    ]
    assert all(it.attributes["tabindex"] == "0" for it in blocks)


def test_a_requirement_that_is_broken_links_to_its_breaches() -> None:
    page = read(made_up.report())
    [row] = [it for it in page.of("tr") if it.children and text_of(it.children[0]) == "LOGIN-2"]
    links = [it.attributes["href"] for it in row.children[2].children]
    assert links == ["#login-2-breach-1", "#login-2-breach-2"]
    assert text_of(row.children[2]) == "broken (2 ways): 1, 2"


# ── Colours ─────────────────────────────────────────────────────────────────────────────────────────


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def schemes() -> list[dict[str, str]]:
    css = html_report.page(made_up.clean(), replay=replay).partition("</style>")[0]
    return [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark"])
def test_letters_differ_enough_from_what_is_behind_them(scheme: dict[str, str]) -> None:
    letters = ("ink", "quiet", "link", "broken", "not-reached", "kept")
    for ink, ground in itertools.product(letters, ("ground", "raised", "wash")):
        light, dark = sorted((luminance(scheme[ink]), luminance(scheme[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


# ── Sequence diagrams ───────────────────────────────────────────────────────────────────────────────


def nothing_overlaps(diagram: Diagram) -> None:
    top = max(head.box.y + head.box.height for head in diagram.heads)
    labels = [arrow.label for arrow in diagram.arrows]
    heads = [head.box for head in (*diagram.heads, *diagram.feet)]
    for one, other in itertools.combinations([*labels, *heads], 2):
        assert not one.overlaps(other)
    for arrow in diagram.arrows:
        label, row = arrow.label, arrow.row
        assert row.y >= top
        top = row.y + row.height
        assert row.y <= label.y
        assert label.y + label.height <= top
        assert row.y < arrow.y < top
        assert len(arrow.lines) * 16 <= label.height
        assert all(text_width(line) <= label.width for line in arrow.lines)
        if arrow.loop:
            assert label.x >= arrow.start + 34, "beside the arrow"
        else:
            assert label.y + label.height <= arrow.y, "above the arrow"
            assert min(arrow.start, arrow.end) < label.x
            assert label.x + label.width < max(arrow.start, arrow.end)
        crossed = [
            head.x for head in diagram.heads if arrow.loop and label.x < head.x < label.x + label.width
        ]
        assert crossed == []
    for box in [*labels, *heads]:
        assert box.x >= 60, "the margin has the numbers"
        assert box.x + box.width <= diagram.width
        assert box.y + box.height <= diagram.height
    for head in (*diagram.heads, *diagram.feet):
        assert len(head.lines) * 16 <= head.box.height
        assert all(text_width(line) <= head.box.width for line in head.lines)
    assert all(foot.box.y >= top for foot in diagram.feet)


@pytest.mark.parametrize("breach", made_up.breaches(), ids=lambda breach: breach.requirement)
def test_no_text_overlaps_another(breach: Breach) -> None:
    nothing_overlaps(lay_out(breach.lines))


@given(st.lists(strategies.lines, min_size=1, max_size=8))
def test_no_text_overlaps_another_whatever_it_is(lines: list[Line]) -> None:
    nothing_overlaps(lay_out(lines))


def test_participants_stand_in_the_order_in_which_they_appear() -> None:
    lines = [Line("app", "client", "a"), Line("client", "platform", "b"), Line("kit", "app", "c")]
    diagram = lay_out(lines)
    assert [head.lines for head in diagram.heads] == [("app",), ("client",), ("platform",), ("kit",)]
    assert [(arrow.start < arrow.end) for arrow in diagram.arrows] == [True, True, False]


def test_the_place_of_the_breach_has_a_frame_and_a_word() -> None:
    drawn = sequence_diagram(made_up.breaches()[0].lines, name="x", title="T")
    assert drawn.count('<rect class="here"') == 2
    assert drawn.count(">here</text>") == 2
    assert drawn.count('class="arrow wrong"') == 2
    assert sequence_diagram([Line("a", "b", "c")], name="x", title="T").count("here") == 0


def test_a_picture_is_there_in_words_too() -> None:
    assert in_words([Line("kit", "client", "open"), Line("client", "kit", "<done>", wrong=True)]) == (
        "1. kit to client: open. 2. client to kit: <done> (the breach is here)."
    )
    page = read(made_up.report())
    for picture in page.of("svg"):
        assert picture.attributes["role"] == "img"
        title, desc = picture.children[:2]
        assert picture.attributes["aria-labelledby"].split() == [
            title.attributes["id"],
            desc.attributes["id"],
        ]
        assert text_of(desc).startswith("1. ")


@given(strategies.texts, st.integers(20, 300))
def test_wrapping_loses_nothing_but_white_space(text: str, room: int) -> None:
    assert "".join("".join(wrap(text, room)).split()) == "".join(visible(text).split())


def test_ideographs_and_emoji_are_given_the_room_that_they_take() -> None:
    assert text_width("漢") >= 12 < text_width("🦊"), "the size of letters"
    assert len(wrap("漢" * 20, 200)) > len(wrap("x" * 20, 200)) == 1


def test_words_stay_whole_if_they_can() -> None:
    assert wrap("POST /api/v5/sessions\nthen nothing", 150) == ("POST", "/api/v5/sessions", "then nothing")
