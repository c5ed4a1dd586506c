"""Pictures can be read: by eye, on whatever ground, and by ear."""

import itertools
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest

from splus_session import (
    LIFECYCLE,
    ConfigurationError,
    InvalidArgumentError,
    MissingExtraError,
    Row,
    SessionState,
)
from splus_session.diagram import Diagram
from tests.diagram import readers
from tests.diagram.charts import LIFECYCLES
from tests.diagram.readers import GRAPHVIZ, parsed

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"

Box = tuple[float, float, float, float]

LOOKS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "to the right": {"direction": "right"},
    "active": {"active": SessionState.TOKEN_EXPIRED},
    "dropped": {"dropped": True},
    "a path": {"path": [row for row in LIFECYCLE if row.event in ("login", "session_opened")]},
    "some events": {"events": ["user_banned", "logout", "renewal_due"]},
    "links": {"links": {"login": "https://example.org/login", "established": "#established"}},
}


@pytest.fixture(params=LIFECYCLES)
def lifecycle(request: pytest.FixtureRequest) -> Sequence[Row]:
    return LIFECYCLES[request.param]


# ── By eye ──────────────────────────────────────────────────────────────────────────────────────


def texts(things: Sequence[Mapping[str, Any]]) -> Iterator[Box]:
    """Where text is drawn."""
    for thing in things:
        size = 0.0
        for op in thing.get("_ldraw_", ()):
            size = op.get("size", size)
            if op["op"] == "T" and op["text"].strip():
                (x, y), left = op["pt"], {"l": 0, "c": 0.5, "r": 1}[op["align"]] * op["width"]
                yield x - left, y - 0.2 * size, x - left + op["width"], y + 0.7 * size


def boxes(things: Sequence[Mapping[str, Any]]) -> Iterator[Box]:
    """Where states are drawn."""
    for thing in things:
        (x, y), width, height = (
            map(float, thing["pos"].split(",")),
            float(thing["width"]),
            float(thing["height"]),
        )
        yield x - 36 * width, y - 36 * height, x + 36 * width, y + 36 * height


def heads(things: Sequence[Mapping[str, Any]]) -> Iterator[Box]:
    """Where the heads of arrows are drawn."""
    for thing in things:
        for op in thing.get("_hdraw_", ()):
            if op["op"] in "Pp":
                xs, ys = zip(*op["points"], strict=True)
                yield min(xs), min(ys), max(xs), max(ys)


def points(things: Sequence[Mapping[str, Any]]) -> Iterator[complex]:
    """Where the lines of arrows run: Bézier curves, every few points."""
    for thing in things:
        knots = [complex(*knot) for op in thing["_draw_"] for knot in op.get("points", ())]
        for first in range(0, len(knots) - 1, 3):
            for part in (step / 50 for step in range(51)):
                between = knots[first : first + 4]
                while len(between) > 1:  # de Casteljau
                    between = [a + part * (b - a) for a, b in itertools.pairwise(between)]
                yield between[0]


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("view", ["overview", "full"])
@pytest.mark.parametrize("look", LOOKS)
def test_no_text_overlaps_another_nor_an_arrows_head_and_no_arrow_is_labelled_across_a_box(
    view: Any, look: str
) -> None:
    picture = readers.graphviz(Diagram(view=view, **LOOKS[look]).to_dot(), "json")
    nodes, edges = picture["objects"], picture["edges"]
    beside, within = list(texts(edges)), list(texts(nodes))
    assert len(beside) > len(edges)
    assert len(list(heads(edges))) == len(edges)
    every = [*beside, *within, *texts([picture])]
    assert not [pair for pair in itertools.combinations(every, 2) if overlap(*pair)]
    assert not [pair for pair in itertools.product(beside, boxes(nodes)) if overlap(*pair)]
    assert not [pair for pair in itertools.product(every, heads(edges)) if overlap(*pair)]


SPACES = 2 * 0.278 * 10
"""How wide the two are that stand on either side of what is written beside an arrow."""


@pytest.mark.parametrize("view", ["overview", "full"])
@pytest.mark.parametrize("look", LOOKS)
def test_no_line_runs_through_what_is_written_beside_an_arrow(view: Any, look: str) -> None:
    edges = readers.graphviz(Diagram(view=view, **LOOKS[look]).to_dot(), "json")["edges"]
    letters = [(left + SPACES, low, right - SPACES, high) for left, low, right, high in texts(edges)]
    lines = list(points(edges))
    assert len(lines) > 50 * len(edges)
    assert not [
        (box, point)
        for box, point in itertools.product(letters, lines)
        if box[0] < point.real < box[2] and box[1] < point.imag < box[3]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["overview", "full"])
def test_ink_and_lines_stand_out_from_the_ground(theme: Any, view: Any) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dot = Diagram(view=view, theme=theme, active=SessionState.ESTABLISHED, dropped=True).to_dot()
    grounds = set(re.findall(r'(?:bgcolor|fillcolor)="(#\w+)" (?!height)', dot))
    inks = set(re.findall(r'(?:font| )color="(#\w+)"', dot))
    assert len(grounds) == 3
    assert len(inks) == 4
    for ground, ink in itertools.product(map(luminance, grounds), map(luminance, inks)):
        assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) >= 4.5


@pytest.mark.parametrize("active", SessionState)
def test_the_active_state_differs_by_more_than_colour(active: SessionState) -> None:
    diagram = Diagram(active=active)
    for node in readers.graphviz(diagram.to_dot(), "dot_json")["objects"]:
        if node["label"]:
            is_active = readers.lines(node["label"])[0] == active.value
            assert ("active now" in readers.lines(node["label"])) is is_active
            assert (node.get("peripheries") == "2") is is_active
    for drawn in (readers.mermaid(diagram.to_mermaid()), readers.plantuml(diagram.to_plantuml())):
        assert [state for state, lines in drawn.boxes.items() if "active now" in lines] == [active.value]


def test_an_svg_for_either_kind_of_page_has_dark_colours_for_whoever_prefers_them() -> None:
    def colours(svg: str) -> set[str]:
        return set(re.findall(r'(?:fill|stroke|stop-color)="(#\w+)"', svg))

    both = Diagram(theme="both", active=SessionState.ESTABLISHED).draw().decode()
    light = Diagram(theme="light", active=SessionState.ESTABLISHED).draw().decode()
    dark = Diagram(theme="dark", active=SessionState.ESTABLISHED).draw().decode()
    style = parsed(both).find(f"{SVG}style")
    assert style is not None
    assert (style.text or "").startswith("@media (prefers-color-scheme:dark){")
    in_dark = dict(re.findall(r'\[\w+="(#\w+)"\]\{\w+:(#\w+)\}', style.text or ""))
    [name] = re.findall(r'<svg class="(\w+)"', both)
    rules = re.findall(r"<style>.*</style>\n", both)[0]
    assert both.replace(rules, "").replace(f' class="{name}"', "", 1) == light
    assert rules.count("[") == rules.count(f".{name} ["), "what else is on the page keeps its colours"
    assert {in_dark[colour] for colour in colours(light)} == colours(dark)
    assert "<style>" not in light
    assert Diagram(theme="both").to_dot() == Diagram().to_dot()


# ── By ear, and by mouse ────────────────────────────────────────────────────────────────────────


def test_the_svg_is_one_picture_with_a_title_and_a_description(lifecycle: Sequence[Row]) -> None:
    active = lifecycle[0].source
    diagram = Diagram(lifecycle, active=active, title='A <chart> & "more" \\')
    root = parsed(diagram.draw())
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert "A <chart> & " in (root[0].text or "")
    words = root[1].text or ""
    for row in lifecycle:
        assert re.search(rf"\b{row.event}\b", words)
        assert all(hook in words for hook in row.hooks)
    first = "notLoggedIn" if active is SessionState.NOT_LOGGED_IN else "SHUT"
    assert f"The present state is {first}." in words
    assert first in "".join(root.itertext())


def test_the_letters_are_as_wide_as_they_were_laid_out_wherever_the_picture_is_looked_at(
    lifecycle: Sequence[Row],
) -> None:
    letters = [text.get("font-family") or "" for text in parsed(Diagram(lifecycle).draw()).iter(f"{SVG}text")]
    assert set(letters) == {"Helvetica,Arial,Liberation Sans,sans-serif"}, "all of Helvetica's widths"


def test_states_and_events_lead_to_their_pages() -> None:
    links = {"established": "https://example.org/a?b=1&c=2", "login": "#login", "logout": "logout.html"}
    diagram = Diagram(links=links)
    leads = {
        link.get(f"{XLINK}href"): "".join(link.itertext()).strip()
        for link in parsed(diagram.draw()).iter(f"{SVG}a")
    }
    assert {href: re.sub(r"\W", "", text) for href, text in leads.items()} == {
        href: name for name, href in links.items()
    }
    assert f'click established href "{links["established"]}"' in diagram.to_mermaid()
    assert f'state "established" as established [[{links["established"]}]]' in diagram.to_plantuml()
    plain = {pair: readers.events(lines) for pair, lines in readers.dot(Diagram().to_dot()).arrows.items()}
    assert plain == {
        pair: readers.events(lines) for pair, lines in readers.dot(diagram.to_dot()).arrows.items()
    }


# ── Graphviz ────────────────────────────────────────────────────────────────────────────────────


def test_a_png_is_drawn(lifecycle: Sequence[Row]) -> None:
    drawn = Diagram(lifecycle).draw("png")
    assert drawn.startswith(b"\x89PNG\r\n")
    assert drawn == Diagram(lifecycle, theme="both").draw("png")
    assert drawn != Diagram(lifecycle, theme="dark").draw("png")


def test_another_graphviz_is_used_on_request_and_named_if_it_is_not_there() -> None:
    assert Diagram().draw(program=GRAPHVIZ) == Diagram().draw()
    with pytest.raises(ConfigurationError, match="no-such-program"):
        Diagram().draw(program="no-such-program")
    with pytest.raises(InvalidArgumentError, match="svg, png, pdf"):
        Diagram().draw("gif")  # type: ignore[arg-type]


def test_without_the_extra_drawing_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_package(_: str) -> None:
        raise PackageNotFoundError

    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.files", no_such_package)
        with pytest.raises(MissingExtraError, match=r"pip install 'splus-session\[diagram\]'"):
            Diagram().draw()
    monkeypatch.setitem(sys.modules, "graphviz.backend", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'splus-session\[diagram\]'"):
        Diagram().draw()


def test_a_pdf_is_drawn_by_the_systems_graphviz_and_it_is_said_if_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match="dot cannot be run"):
        Diagram().draw("pdf")


@pytest.mark.skipif(shutil.which("dot") is None, reason="NOT RUN: this machine has no Graphviz of its own")
def test_the_systems_graphviz_draws_it_too(lifecycle: Sequence[Row]) -> None:
    root = parsed(Diagram(lifecycle).draw(program="dot"))
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert Diagram(lifecycle).draw("pdf").startswith(b"%PDF-")
