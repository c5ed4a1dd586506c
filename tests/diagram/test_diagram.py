"""What may be asked of a diagram, and that the same question always gets the same answer."""

import enum
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, get_args

import pytest

from splus_session import LIFECYCLE, Guard, InvalidArgumentError, Request, Row, SessionState, event_name
from splus_session.diagram import Diagram
from tests.diagram import readers
from tests.diagram.charts import LIFECYCLES, Door

LANGUAGES = ("dot", "mermaid", "plantuml", "scxml", "json", "markdown", "rst")


def written(diagram: Diagram, language: str) -> str:
    return str(getattr(diagram, f"to_{language}")())


# ── What is shown ───────────────────────────────────────────────────────────────────────────────


def test_a_state_an_event_and_a_step_of_another_chart_are_refused_and_so_is_an_empty_one() -> None:
    with pytest.raises(InvalidArgumentError, match="is no state"):
        Diagram(active=Door.OPEN)
    with pytest.raises(InvalidArgumentError, match="is no state"):
        Diagram(initial=Door.OPEN)
    with pytest.raises(
        InvalidArgumentError, match="'knock' is no event of this life cycle; there are login, "
    ):
        Diagram(events=["login", "knock"])
    with pytest.raises(InvalidArgumentError, match="is no row"):
        Diagram(path=LIFECYCLES["door"][:1])
    with pytest.raises(InvalidArgumentError, match="at least one row"):
        Diagram([])


def test_what_is_no_title_no_link_and_no_row_is_refused() -> None:
    wrong: Any
    for wrong in ({"title": 3}, {"title": " "}, {"links": {"login": 1}}, {"lifecycle": ["login"]}):
        with pytest.raises(InvalidArgumentError, match=r"title|URL|rows"):
            Diagram(**wrong)


def test_a_state_is_found_by_what_it_is_called_before_its_own_name() -> None:
    crossed = make_enum("Crossed", {"X": "Y", "Y": "X"})
    rows = [Row(crossed.X, "go", crossed.Y)]
    for name, state in (("X", crossed.Y), ("Y", crossed.X)):
        assert Diagram(rows, active=name).to_dot() == Diagram(rows, active=state).to_dot()


def test_one_state_is_one() -> None:
    alone = [row for row in LIFECYCLES["door"] if row.event == "paint"]
    assert Diagram(alone).in_words().startswith("A state machine with 1 state, beginning in SHUT.")


@pytest.mark.parametrize(
    ("conditions", "may_fail"),
    [
        ([()], False),
        ([("a",)], True),
        ([("a",), ("not a",)], False),
        ([("a", "b"), ("not a",)], True),
        ([("a", "b"), ("not a",), ("not b", "c"), ("not c",)], False),
        ([("a", "not a")], True),
    ],
)
def test_a_table_says_if_where_guards_may_leave_nothing(
    conditions: Sequence[Sequence[str]], may_fail: bool
) -> None:
    def guard(words: str) -> Guard:
        return Guard(words.removeprefix("not "), expected=not words.startswith("not "))

    [go, _] = rows_between("a", "b")
    rows = [go._replace(guards=tuple(map(guard, words))) for words in conditions]
    assert ("(if)" in Diagram(rows).to_markdown()) is may_fail


@pytest.mark.parametrize(
    ("option", "choices"),
    [("view", "overview, full"), ("direction", "down, right"), ("theme", "light, dark, both")],
)
def test_an_option_that_does_not_exist_is_refused_with_those_that_do(option: str, choices: str) -> None:
    unknown: Any = {option: "sideways"}
    with pytest.raises(InvalidArgumentError, match=f"{option} .*'sideways'.*{choices}"):
        Diagram(**unknown)


@pytest.mark.parametrize("lifecycle", LIFECYCLES.values(), ids=LIFECYCLES)
def test_the_initial_state_is_the_first_ones_source_unless_another_is_named(lifecycle: Sequence[Row]) -> None:
    def name(state: Any) -> str:
        return state.value if isinstance(state.value, str) else str(state.name)

    first, last = lifecycle[0].source, lifecycle[-1].source
    for initial, diagram in ((first, Diagram(lifecycle)), (last, Diagram(lifecycle, initial=last))):
        assert readers.dot(diagram.to_dot()).initial == name(initial)
        assert readers.mermaid(diagram.to_mermaid()).initial == name(initial)
        assert readers.plantuml(diagram.to_plantuml()).initial == name(initial)
        assert readers.scxml(diagram.to_scxml())[0] == name(initial)
        assert readers.from_json(diagram.to_json())[0] == name(initial)


def test_one_state_alone_keeps_its_rows_to_itself() -> None:
    [shut] = [row for row in LIFECYCLES["door"] if row.event == "paint"]
    drawn = readers.dot(Diagram([shut]).to_dot())
    assert drawn.boxes == {"SHUT": ["paint"]}
    assert "every state" not in drawn.legend


def test_with_some_events_only_their_rows_are_shown_and_the_states_that_these_are_about() -> None:
    diagram = Diagram(events=["user_banned"], view="full")
    rows = [row for row in LIFECYCLE if row.event == "user_banned"]
    drawn = readers.dot(diagram.to_dot())
    assert set(drawn.boxes) == {"establishing", "notLoggedIn", "established", "tokenExpired", "terminated"}
    assert set(drawn.arrows) == {(row.source.value, row.target.value) for row in rows}
    assert len(readers.from_json(diagram.to_json())[1]) == len(rows)
    assert len(readers.markdown(diagram.to_markdown())) == len(rows) + 1
    expiry = readers.dot(Diagram(events=["token_expired"], active=SessionState.TERMINATED).to_dot())
    assert set(expiry.boxes) == {"established", "tokenExpired", "terminated"}
    assert expiry.initial is None, "what it begins in is not among them"
    # The place of a row among those that it is tried with does not change.
    assert "token_renewed (2)" in Diagram(events=["token_renewed"], view="full").to_dot()


def test_a_path_is_counted_where_it_leads_along() -> None:
    taken = [
        next(row for row in LIFECYCLE if (row.source, row.event, row.target) == step)
        for step in [
            (SessionState.NOT_LOGGED_IN, "login", SessionState.ESTABLISHING),
            (SessionState.ESTABLISHING, "session_opened", SessionState.ESTABLISHED),
            (SessionState.ESTABLISHED, "renewal_due", SessionState.ESTABLISHED),
            (SessionState.ESTABLISHED, "logout", SessionState.NOT_LOGGED_IN),
            (SessionState.NOT_LOGGED_IN, "login", SessionState.ESTABLISHING),
        ]
    ]
    diagram = Diagram(path=taken)
    for drawn in (
        readers.dot(diagram.to_dot()),
        readers.mermaid(diagram.to_mermaid()),
        readers.plantuml(diagram.to_plantuml()),
    ):
        assert {pair: lines[-1] for pair, lines in drawn.arrows.items() if "step" in lines[-1]} == {
            ("notLoggedIn", "establishing"): "steps 1, 5",
            ("establishing", "established"): "step 2",
            ("established", "notLoggedIn"): "step 4",
        }
        assert [state for state, lines in drawn.boxes.items() if "step 3" in lines] == ["established"]
    walked = [
        edge for edge in readers.graphviz(diagram.to_dot(), "dot_json")["edges"] if edge.get("penwidth")
    ]
    assert len(walked) == 3


def test_what_finds_no_row_is_said_of_each_state_on_request() -> None:
    requests = set(map(event_name, get_args(Request)))
    every = {row.event for row in LIFECYCLE}
    drawn = readers.mermaid(Diagram(view="full", dropped=True).to_mermaid())
    assert "refuses ...:" in drawn.legend
    for state in SessionState:
        lacking = every - {row.event for row in LIFECYCLE if row.source is state}
        said: dict[str, set[str]] = {"refuses": set(), "drops": set()}
        for line in drawn.boxes[state.value]:
            word, _, names = line.partition(" ")
            if word in said:
                said[word] = set(names.split(", "))
        assert said == {"refuses": lacking & requests, "drops": lacking - requests}
    plain = readers.mermaid(Diagram(view="full").to_mermaid())
    assert not [
        line for lines in plain.boxes.values() for line in lines if line.startswith(("refuses", "drops"))
    ]


def test_the_legend_explains_what_there_is_and_nothing_else() -> None:
    full, overview = Diagram(view="full").to_dot(), Diagram().to_dot()
    for sign in ("does ...", "asks for ...", "(1), (2)"):
        assert sign in full
        assert sign not in overview
    no_hooks = [row for row in LIFECYCLE if row.event in ("login", "login_failed")]
    assert "runs ..." in overview
    assert "runs ..." not in Diagram(no_hooks).to_dot()


# ── The same answer ─────────────────────────────────────────────────────────────────────────────


def test_fresh_processes_with_different_hash_seeds_write_the_same_bytes() -> None:
    code = (
        "import sys; from splus_session.diagram import Diagram\n"
        "for view in ('overview', 'full'):\n"
        "    diagram = Diagram(view=view, dropped=True, theme='both')\n"
        f"    for language in {LANGUAGES}:\n"
        "        sys.stdout.buffer.write(getattr(diagram, f'to_{language}')().encode())\n"
        "    for form in ('svg', 'png'):\n"
        "        sys.stdout.buffer.write(diagram.draw(form))\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(seen) == 1
    diagrams = [Diagram(view=view, dropped=True, theme="both") for view in ("overview", "full")]
    assert seen == {
        b"".join(
            b"".join(written(diagram, language).encode() for language in LANGUAGES)
            + diagram.draw("svg")
            + diagram.draw("png")
            for diagram in diagrams
        )
    }


def test_writing_needs_no_extra() -> None:
    code = (
        "import sys; from splus_session.diagram import Diagram\n"
        f"for language in {LANGUAGES}: getattr(Diagram(), f'to_{{language}}')()\n"
        "sys.exit('graphviz' in sys.modules or 'statemachine' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_notebook_shows_the_picture() -> None:
    diagram = Diagram(active=SessionState.ESTABLISHED)
    shown = diagram._repr_mimebundle_()
    assert shown["image/svg+xml"] == diagram.draw("svg").decode()
    assert shown["text/plain"] == repr(diagram)
    assert len(repr(diagram)) < 300


def test_a_notebook_shows_words_where_nothing_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splus_session.diagram._graphviz._wheels_program", lambda: "no-such-program")
    assert Diagram()._repr_mimebundle_() == {"text/plain": Diagram().in_words()}
    monkeypatch.setitem(sys.modules, "graphviz.backend", None)
    assert Diagram()._repr_mimebundle_() == {"text/plain": Diagram().in_words()}


# ── Names, titles and links ─────────────────────────────────────────────────────────────────────


make_enum: Any = enum.Enum


def rows_between(first: str, second: str) -> list[Row]:
    odd = make_enum("Odd", {"A": first, "B": second})
    return [Row(odd.A, "go", odd.B), Row(odd.B, "back", odd.A)]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x01", "\ud800", "\u2028"])
def test_a_state_whose_name_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="which cannot be read"):
        Diagram(rows_between(name, "other"))


def test_spaces_around_a_states_name_would_get_lost() -> None:
    with pytest.raises(InvalidArgumentError, match="spaces around a name"):
        Diagram(rows_between("a ", "other"))


def test_two_states_of_one_name_are_refused() -> None:
    same = make_enum("Same", {"B": 1, "C": "B"})
    with pytest.raises(InvalidArgumentError, match="two states are called 'B'"):
        Diagram([Row(same.B, "go", same.C)])


def test_a_word_of_a_row_that_is_no_name_is_refused() -> None:
    [go, back] = rows_between("a", "b")
    for row in (
        go._replace(event="x y"),
        go._replace(reactions=("a'<b",)),
        go._replace(guards=(Guard('g"/><y'),)),
    ):
        with pytest.raises(
            InvalidArgumentError, match="is no name of an event, a guard, a reaction or a hook"
        ):
            Diagram([row, back])


@pytest.mark.parametrize(
    "name", ["default", "href", "root", "stateDiagram", "end", "note", "(start)", "notLoggedIn"]
)
def test_a_state_may_be_called_what_means_something_in_a_language(name: str) -> None:
    diagram = Diagram(rows_between(name, "other"), view="full")
    for drawn in (
        readers.dot(diagram.to_dot()),
        readers.mermaid(diagram.to_mermaid()),
        readers.plantuml(diagram.to_plantuml()),
    ):
        assert list(drawn.boxes) == [name, "other"]
        assert drawn.initial == name
    assert readers.scxml(diagram.to_scxml())[0] == name


def test_a_title_is_one_line_that_can_be_read() -> None:
    title = 'a\n---\nevil \\ \x01 %%{init: {}}%% <b> "q"'
    diagram = Diagram(title=title)
    shown = 'a --- evil \\ \\x01 %%{init: {}}%% <b> "q"'
    assert diagram.title == shown
    root = readers.parsed(diagram.draw())
    assert root[0].text == shown
    assert "%%" not in diagram.to_mermaid().partition("stateDiagram-v2")[2]
    assert readers.mermaid(diagram.to_mermaid()) == readers.mermaid(Diagram().to_mermaid())
    assert readers.scxml(diagram.to_scxml()) == readers.scxml(Diagram().to_scxml())
    assert f".. list-table:: {shown}\n" in diagram.to_rst()
    for nothing in ("", " \n "):
        with pytest.raises(InvalidArgumentError, match="at least one letter"):
            Diagram(title=nothing)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "a b",
        'a"b',
        "a\nb",
        "x]]\n@enduml",
        "<x>",
        "a{b",
        "C:\\New",
        "javascript:x",
        "JavaScript:x",
        "data:text/html,x",
    ],
)
def test_a_link_that_leads_nowhere_or_out_of_its_place_is_refused(link: str) -> None:
    with pytest.raises(InvalidArgumentError, match="is no URL of the web or of this site"):
        Diagram(links={"logout": link})


def test_a_link_from_nowhere_is_refused_and_so_is_one_name_for_several() -> None:
    with pytest.raises(InvalidArgumentError, match="no state or event 'nowhere'"):
        Diagram(links={"nowhere": "#x"})
    with pytest.raises(InvalidArgumentError, match="events are several names, and not 'logout'"):
        Diagram(events="logout")


def test_without_the_extra_a_notebook_shows_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphviz.backend", None)
    assert Diagram()._repr_mimebundle_() == {"text/plain": Diagram().in_words()}
