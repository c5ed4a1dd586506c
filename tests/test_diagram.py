"""What is drawn is what runs, and it can be read."""

import enum
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from statemachine import StateChart
from statemachine.states import States

from splus_session import (
    LIFECYCLE,
    ConfigurationError,
    InvalidArgumentError,
    MissingExtraError,
    Row,
    SessionState,
)
from splus_session._table import compile_chart
from splus_session.diagram import render_svg, to_dot

SVG = "{http://www.w3.org/2000/svg}"
GRAPHVIZ = str(Path(sys.executable).parent / "graphviz-pure")

Said = dict[str, tuple[str, ...]]
"""The hooks by the event that runs them."""


class Door(enum.Enum):
    """States that are not strings, one of which needs escaping where it is one."""

    SHUT = 1
    OPEN = '<open> & "wide" \\'


class DoorChart(StateChart[Any]):
    """Somebody else's chart."""

    allow_event_without_transition = True
    enable_self_transition_entries = False
    atomic_configuration_update = False
    catch_errors_as_events = False

    at = States.from_enum(Door, initial=Door.SHUT)

    push = at.SHUT.to(at.OPEN, cond="is_strong", after="run_on_creak")
    pull = at.OPEN.to(at.SHUT)
    knock = at.SHUT.to.itself(internal=True) | at.OPEN.to.itself(internal=True)
    paint = at.SHUT.to.itself(internal=True)


CHARTS = {"session": LIFECYCLE, "door": compile_chart(DoorChart)}


def graphviz(dot: str, form: str) -> dict[str, Any]:
    """What Graphviz understands of a DOT."""
    run = subprocess.run([GRAPHVIZ, f"-T{form}"], input=dot.encode(), capture_output=True, check=True)
    return dict(json.loads(run.stdout))


def parsed(xml: str | bytes) -> ElementTree.Element:
    return ElementTree.fromstring(xml)  # noqa: S314  we made it ourselves


def lines(label: str) -> list[str]:
    """The text of a label, line by line."""
    return ["".join(cell.itertext()).strip() for cell in parsed(label).iter("td")]


def said(text: Sequence[str]) -> Said:
    """Lines such as `a, b,` `c` and `runs on_x`, read as one would."""
    result: Said = {}
    waiting: list[str] = []
    for line in text:
        if line.startswith("runs "):
            result |= dict.fromkeys(waiting, tuple(line.removeprefix("runs ").split(", ")))
            waiting = []
        else:
            for event in filter(None, line.split(", ")):
                waiting.append(event.rstrip(","))
    assert not set(result) & set(waiting), "an event is drawn twice"
    return result | dict.fromkeys(waiting, ())


def runs(rows: Sequence[Row]) -> Said:
    """The same from rows."""
    result: dict[str, dict[str, None]] = {}
    for row in rows:
        result.setdefault(row.event, {}).update(dict.fromkeys(row.hooks))
    return {event: tuple(hooks) for event, hooks in result.items()}


def name(state: enum.Enum) -> str:
    return state.value if isinstance(state.value, str) else state.name


def drawn_name(node: Any) -> str:
    """A node's name, by its label: what is drawn and not how it is called in the source."""
    return lines(node["label"])[0] if node["label"] else "initial"


@pytest.fixture(params=CHARTS)
def lifecycle(request: pytest.FixtureRequest) -> Sequence[Row]:
    return CHARTS[request.param]


def test_each_pair_of_states_has_one_arrow_with_the_events_and_hooks_of_its_rows(
    lifecycle: Sequence[Row],
) -> None:
    picture = graphviz(to_dot(lifecycle), "dot_json")
    names = [drawn_name(node) for node in picture["objects"]]
    arrows = [(names[edge["tail"]], names[edge["head"]], edge) for edge in picture["edges"]]
    assert max(Counter(arrow[:2] for arrow in arrows).values()) == 1
    drawn = {(tail, head): said(lines(e["label"])) for tail, head, e in arrows if tail != "initial"}

    pairs = {(row.source, row.target) for row in lifecycle if not row.internal}
    assert drawn == {
        (name(a), name(b)): runs([r for r in lifecycle if (r.source, r.target) == (a, b) and not r.internal])
        for a, b in pairs
    }


def test_what_stays_within_a_state_is_in_its_box_or_said_of_every_state(lifecycle: Sequence[Row]) -> None:
    picture = graphviz(to_dot(lifecycle), "dot_json")
    boxes = {drawn_name(node): said(lines(node["label"])[1:]) for node in picture["objects"] if node["label"]}
    legend = " ".join(lines(picture["label"]))
    everywhere = said([legend.partition("In every state: ")[2].rstrip(".")])

    states = {row.source for row in lifecycle} | {row.target for row in lifecycle}
    assert set(boxes) == set(map(name, states))
    effects = [{r[3:] + r[1:2] for r in lifecycle if r.source is s and r.internal} for s in states]
    shared = set.intersection(*effects)
    assert shared, "both charts have such rows"
    for state in states:
        rows = [row for row in lifecycle if row.source is state and row.internal]
        assert boxes[name(state)] == runs([row for row in rows if row[3:] + row[1:2] not in shared])
        assert everywhere == runs([row for row in rows if row[3:] + row[1:2] in shared])


def test_the_initial_state_is_marked(lifecycle: Sequence[Row]) -> None:
    def marked(dot: str) -> str:
        picture = graphviz(dot, "dot_json")
        names = list(map(drawn_name, picture["objects"]))
        [marked] = [names[edge["head"]] for edge in picture["edges"] if names[edge["tail"]] == "initial"]
        return str(marked)

    first, last = lifecycle[0].source, lifecycle[-1].source
    assert marked(to_dot(lifecycle)) == name(first)
    assert marked(to_dot(lifecycle, initial=last)) == name(last)


@pytest.mark.parametrize("active", SessionState)
def test_the_active_state_differs_by_more_than_colour(active: SessionState) -> None:
    picture = graphviz(to_dot(active=active), "dot_json")
    for node in picture["objects"]:
        if node["label"]:
            is_active = drawn_name(node) == active.value
            assert ("active now" in lines(node["label"])) is is_active
            assert (node.get("peripheries") == "2") is is_active


def test_a_state_of_another_chart_and_an_empty_chart_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="is no state"):
        to_dot(active=Door.OPEN)
    with pytest.raises(InvalidArgumentError, match="is no state"):
        to_dot(initial=Door.OPEN)
    with pytest.raises(InvalidArgumentError, match="at least one row"):
        to_dot([])


def test_one_state_alone_keeps_its_rows_to_itself() -> None:
    [shut] = [row for row in CHARTS["door"] if row.event == "paint"]
    picture = graphviz(to_dot([shut]), "dot_json")
    assert [lines(node["label"]) for node in picture["objects"] if node["label"]] == [["SHUT", "paint"]]
    assert "every state" not in picture["label"]


@pytest.mark.parametrize("active", [None, *SessionState])
def test_no_text_overlaps_another_and_no_arrow_is_labelled_across_a_box(active: SessionState | None) -> None:
    picture = graphviz(to_dot(active=active), "json")
    boxes = []
    for node in picture["objects"]:
        (x, y), width, height = (
            map(float, node["pos"].split(",")),
            *map(float, (node["width"], node["height"])),
        )
        boxes.append((x - 36 * width, y - 36 * height, x + 36 * width, y + 36 * height))
    texts: dict[str, list[tuple[float, float, float, float]]] = {"objects": [], "edges": []}
    for kind, found in texts.items():
        for thing in picture[kind]:
            size = 0.0
            for op in thing.get("_ldraw_", ()):
                size = op.get("size", size)
                if op["op"] == "T" and op["text"].strip():
                    (x, y), left = op["pt"], {"l": 0, "c": 0.5, "r": 1}[op["align"]] * op["width"]
                    found.append((x - left, y - 0.2 * size, x - left + op["width"], y + 0.7 * size))

    def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
        return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]

    assert len(texts["edges"]) > len(picture["edges"])
    every = texts["objects"] + texts["edges"]
    assert not [pair for pair in itertools.combinations(every, 2) if overlap(*pair)]
    assert not [pair for pair in itertools.product(texts["edges"], boxes) if overlap(*pair)]


def test_ink_and_lines_stand_out_from_the_ground() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dot = to_dot(active=SessionState.ESTABLISHED)
    grounds = set(re.findall(r'(?:bgcolor|fillcolor)="(#\w+)" (?!height)', dot))
    inks = set(re.findall(r'(?:font| )color="(#\w+)"', dot))
    assert len(grounds) == 3
    assert len(inks) == 3
    for ground, ink in itertools.product(grounds, inks):
        assert (luminance(ground) + 0.05) / (luminance(ink) + 0.05) >= 4.5


def test_the_svg_is_one_picture_with_a_title_and_a_description(lifecycle: Sequence[Row]) -> None:
    title = 'A <chart> & "more" \\'
    root = parsed(render_svg(to_dot(lifecycle, active=lifecycle[0].source, title=title)))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert "A <chart> & " in (root[0].text or "")
    words = root[1].text or ""
    for row in lifecycle:
        assert re.search(rf"\b{row.event}\b", words)
        assert all(hook in words for hook in row.hooks)
        assert name(row.source) in words
    assert f"The present state is {name(lifecycle[0].source)}." in words
    drawn = "".join(root.itertext())
    assert all(name(row.source) in drawn for row in lifecycle)


def test_the_letters_are_as_wide_as_they_were_laid_out_wherever_the_picture_is_looked_at(
    lifecycle: Sequence[Row],
) -> None:
    letters = [
        text.get("font-family") or "" for text in parsed(render_svg(to_dot(lifecycle))).iter(f"{SVG}text")
    ]
    assert set(letters) == {"Helvetica,Arial,Liberation Sans,sans-serif"}, "all of Helvetica's widths"


def test_any_dot_is_drawn_and_nonsense_is_refused() -> None:
    assert b"<desc>" not in render_svg("digraph { a -> b }")
    with pytest.raises(InvalidArgumentError, match=r"cannot draw this: .*syntax error"):
        render_svg("digraph {")


def test_fresh_processes_with_different_hash_seeds_draw_the_same_bytes() -> None:
    code = (
        "import sys; from splus_session.diagram import *; dot = to_dot(); "
        "sys.stdout.buffer.write(dot.encode() + render_svg(dot))"
    )
    drawn = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    dot = to_dot()
    assert drawn == {dot.encode() + render_svg(dot)}


def test_writing_dot_needs_no_extra() -> None:
    code = (
        "import sys; from splus_session.diagram import to_dot; to_dot(); "
        "sys.exit('graphviz' in sys.modules or 'statemachine' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_extra_drawing_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_package(_: str) -> None:
        raise PackageNotFoundError

    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.files", no_such_package)
        with pytest.raises(MissingExtraError, match=r"pip install 'splus-session\[diagram\]'"):
            render_svg(to_dot())
    monkeypatch.setitem(sys.modules, "graphviz.backend", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'splus-session\[diagram\]'"):
        render_svg(to_dot())


def test_another_graphviz_is_used_on_request_and_named_if_it_is_not_there() -> None:
    assert render_svg(to_dot(), program=GRAPHVIZ) == render_svg(to_dot())
    with pytest.raises(ConfigurationError, match="no-such-program"):
        render_svg(to_dot(), program="no-such-program")


@pytest.mark.skipif(shutil.which("dot") is None, reason="NOT RUN: this machine has no Graphviz of its own")
def test_the_systems_graphviz_draws_it_too(lifecycle: Sequence[Row]) -> None:
    root = parsed(render_svg(to_dot(lifecycle), program="dot"))
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
