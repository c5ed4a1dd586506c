"""The model and the code are the same, edge by edge; and every difference would show."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import pytest

from models import figures
from models.tlc import coverage, graphs, modules
from models.tlc.__main__ import check
from models.tlc.checker import MissingToolError, jar, java
from splus_session import LIFECYCLE, Row, SessionState, event_name
from splus_session import _core as core
from splus_session._row import Guard
from splus_session.explore import Graph, Move, Slice, command_view, explore, moves, slices, view
from tests.models.faults_of_the_model import FAULTS, Fault
from tests.near import NEAR

SLICES = {slice.name: slice for slice in slices.SLICES}


@cache
def has_tlc() -> bool:
    try:
        return bool(java() and jar())
    except MissingToolError as error:
        print(f"*** NOT RUN: {error} ***")
        return False


T = TypeVar("T", bound=Callable[..., None])


def needs_tlc(test: T) -> T:
    """Skip a test that runs TLC where there is none."""
    is_missing = not has_tlc()
    skipping = pytest.mark.skipif(is_missing, reason="NOT RUN: there is no Java or no TLC here")
    return cast("T", skipping(test))


@pytest.mark.parametrize("name", SLICES)
def test_the_code_goes_the_way_that_is_locked(name: str) -> None:
    """Needs no Java: what TLC saw when the lock was written, the code still does."""
    states, edges, sha256 = graphs.digest(graphs.edges_of_code(SLICES[name]))
    locked = figures.kept()["checked"]["graphs"][name]
    assert {"states": states, "edges": edges, "sha256": sha256} == locked, "if that is meant: make lock"


@needs_tlc
def test_tlc_finds_every_property_kept_and_the_same_graph_as_in_the_code() -> None:
    checked = check(slices.REPEATS)  # `make model` does it for every slice
    assert checked.digest == figures.kept()["checked"]["graphs"]["repeats"]["sha256"]


# ── Every difference shows ──────────────────────────────────────────────────────────────────────


def changed_rows() -> list[tuple[str, Row, tuple[Row, ...]]]:
    """The life cycle with one row left out, or with one guard, reaction or hook less: what, and where."""
    tables: list[tuple[str, Row, tuple[Row, ...]]] = []
    for number, row in enumerate(LIFECYCLE):
        where = f"{number} {row.source.value} {row.event}"

        def but(changed: Row, number: int = number) -> tuple[Row, ...]:
            return (*LIFECYCLE[:number], changed, *LIFECYCLE[number + 1 :])

        tables.append((f"{where}: no row", row, (*LIFECYCLE[:number], *LIFECYCLE[number + 1 :])))
        for guard in row.guards:
            kept = tuple(other for other in row.guards if other != guard)
            tables.append((f"{where}: not asked whether {guard}", row, but(row._replace(guards=kept))))
            turned = tuple(
                Guard(other.name, not other.expected) if other == guard else other for other in row.guards
            )
            tables.append((f"{where}: asked whether not {guard}", row, but(row._replace(guards=turned))))
        for reaction in row.reactions:
            less = tuple(other for other in row.reactions if other != reaction)
            tables.append((f"{where}: without {reaction}", row, but(row._replace(reactions=less))))
        if row.hooks:
            tables.append((f"{where}: without its hook", row, but(row._replace(hooks=()))))
    return tables


class Point(NamedTuple):
    """Somewhere in a slice where the session hears of something."""

    slice: Slice
    graph: Graph
    state: int
    move: Move


def points() -> dict[tuple[SessionState, str], list[Point]]:
    """All of them, by where the session is and what it hears of; the nearest first."""
    found: dict[tuple[SessionState, str], list[Point]] = {}
    for slice in NEAR:
        graph = explore(slice)
        for state, world in enumerate(graph.worlds):
            for move in moves(world, slice):
                if move.step is not None and move.after.session.attempt <= slice.most_attempts:
                    heard = (move.step.before.state, event_name(move.step.event))
                    found.setdefault(heard, []).append(Point(slice, graph, state, move))
    return found


def test_every_row_guard_and_reaction_makes_a_difference_that_can_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = points()
    unseen = []
    for name, row, rows in changed_rows():
        monkeypatch.setattr(core, "_TABLE", core._bind(rows, core._meaning))
        if not any(shows(point) for point in heard[row.source, row.event]):
            unseen.append(name)
        monkeypatch.undo()
    assert unseen == []


def test_a_difference_is_told_as_a_way_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    model = graphs.edges_of_code(slices.REPEATS)
    rows = tuple(row for row in LIFECYCLE if (row.event, row.source) != ("logout", SessionState.ESTABLISHED))
    monkeypatch.setattr(core, "_TABLE", core._bind(rows, core._meaning))
    difference = graphs.first_difference(model, slices.REPEATS)
    assert difference is not None
    words = graphs.told(difference)
    assert "1. login authToken a False" in words
    assert "2. open 1 granted 4" in words
    assert "logout: dropped" in words
    assert "hook on_logout a" in words


def test_a_graph_that_is_the_same_has_no_difference() -> None:
    assert graphs.first_difference(graphs.edges_of_code(slices.REPEATS), slices.REPEATS) is None


Place = tuple[str | int, ...]
"""Where in a view something stands: `each` of several, and behind its first word in what begins with one."""

LISTS: frozenset[Place] = frozenset({(2,), (3, 2), (4, 3)})
WITH_A_WORD: frozenset[Place] = frozenset(
    {(1,), (0, 5, 2), (0, 6, 2), (2, "each", 3), (4, 3, "each", 0)}
    | {("command",), ("command", "open", 2), ("command", "renew", 2)}
)
"""Verdicts, grants and commands."""

ALIKE: Mapping[Place, str] = {
    ("access", 1, 0): "where an access token is presented again, no process was killed",
    ("access", 2): "and there is one user",
    ("open", 2, "user", 1): "one user logs in by name alone",
    ("revoke", 2, 0): "where there are secure logouts, no process is killed",
    (2, "each", 4, 1): "no token comes again to a second user",
    (4, 2, 2): "where there is a store, there is one user",
    ("store", 1, 2): "nor is another one on its way to the store",
}
"""Parts that are the same wherever they stand in a slice, by how their places end, each with the reason."""


def note(values: dict[Place, set[object]], value: object, place: Place) -> None:
    """Note what a part of a view is, and what its own parts are."""
    seen = values.setdefault(place, set())
    if value in seen:
        return
    seen.add(value)
    if isinstance(value, tuple):
        for number, part in enumerate(value):
            if place not in WITH_A_WORD:
                note(values, part, (*place, "each" if place in LISTS else number))
            elif number:
                note(values, part, (*place, value[0], number))


def test_every_part_of_the_view_tells_something() -> None:
    """A part that never varies could be left out, and nobody would notice that it was."""
    values: dict[Place, set[object]] = {}
    commands: set[str] = set()
    for slice in NEAR:
        for before, leaving in graphs.edges_of_code(slice).items():
            note(values, before, ())
            for happening in leaving:
                for command in happening.commands:
                    commands.add(command[0])
                    note(values, command, ("command",))
    same = [place for place, seen in values.items() if len(seen) < 2]
    assert [place for place in same if not any(place[-len(end) :] == end for end in ALIKE)] == []
    assert [end for end in ALIKE if not any(place[-len(end) :] == end for place in same)] == []
    assert commands == {
        "store", "tell", "hook", "open", "ask", "renew", "verify", "revoke", "revoke orphan", "release",
    }  # fmt: skip


def test_every_action_of_the_model_has_what_it_may_bring() -> None:
    """That each does happen, `make model` sees in TLC's edges."""
    assert list(coverage.ACTIONS) == coverage.actions()
    happened = coverage.seen(
        happening for leaving in graphs.edges_of_code(slices.REPEATS).values() for happening in leaving
    )
    assert "AnswerLogin: open foreign" not in coverage.dead(happened)
    assert "AnswerLogin: open banned" in coverage.dead(happened)


# ── TLC ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_property_of_the_model_has_a_fault_that_it_is_to_see() -> None:
    invariants, actions = modules.properties()
    assert [fault.seen_by for fault in FAULTS] == [*invariants, *actions]
    names = {fault.name for fault in FAULTS}
    assert len(names) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.seen_by)
def test_the_model_still_says_what_its_fault_changes(fault: Fault, tmp_path: Path) -> None:
    """Needs no Java. That TLC sees the fault is the next test."""
    fault.plant(tmp_path)


@needs_tlc
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.seen_by)
def test_tlc_finds_a_fault_of_the_model_by_the_name_of_what_it_breaks(fault: Fault, tmp_path: Path) -> None:
    fault.plant(tmp_path)
    assert fault.broken(tmp_path) == fault.seen_by


@needs_tlc
def test_a_property_that_says_nothing_sees_no_fault(tmp_path: Path) -> None:
    [fault] = [fault for fault in FAULTS if fault.seen_by == "AHandlerNeverHasLongerThanTheDeadline"]
    fault.plant(tmp_path)
    path = tmp_path / "Properties.tla"
    said = path.read_text("utf-8")
    path.write_text(said.replace("=> S.renewal.left <= Answer", "=> TRUE"), "utf-8")
    assert path.read_text("utf-8") != said
    assert fault.broken(tmp_path) is None


def shows(point: Point) -> bool:
    """Whether the graph would now have another edge here."""
    assert point.move.step is not None
    world = point.graph.worlds[point.state]
    now = core.step(point.move.step.before, point.move.step.event, world.now)
    if now == point.move.step:
        return False
    was = point.move.step
    before, after = (
        (
            step.dropped is None,
            [command_view(world, command) for command in step.commands],
            view(world._replace(session=step.after)),
        )
        for step in (was, now)
    )
    return before != after
