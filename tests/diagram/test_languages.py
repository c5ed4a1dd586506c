"""What is written is what runs: each language, read back, has exactly the rows of the life cycle."""

import enum
from collections.abc import Callable, Iterator, Sequence
from typing import get_args

import pytest

from splus_session import LIFECYCLE, Request, Row, event_name
from splus_session.diagram import Diagram
from tests.diagram import readers
from tests.diagram.charts import LIFECYCLES
from tests.diagram.readers import Drawn, Said

Reader = Callable[[str], Drawn]


def dot(diagram: Diagram) -> Drawn:
    return readers.dot(diagram.to_dot())


def mermaid(diagram: Diagram) -> Drawn:
    return readers.mermaid(diagram.to_mermaid())


def plantuml(diagram: Diagram) -> Drawn:
    return readers.plantuml(diagram.to_plantuml())


REQUESTED = set(map(event_name, get_args(Request)))
DRAWN = (dot, mermaid, plantuml)


@pytest.fixture(params=LIFECYCLES)
def lifecycle(request: pytest.FixtureRequest) -> Sequence[Row]:
    return LIFECYCLES[request.param]


def name(state: enum.Enum) -> str:
    return state.value if isinstance(state.value, str) else state.name


def wanted(lifecycle: Sequence[Row]) -> Iterator[Said]:
    """What is to be read of a life cycle, but for what another chart cannot say."""
    for row in lifecycle:
        together = [each for each in lifecycle if (each.source, each.event) == (row.source, row.event)]
        yield Said(
            name(row.source),
            row.event,
            name(row.target),
            row.internal,
            tuple(map(str, row.guards)),
            row.reactions,
            (),
            row.hooks,
            (),
            together.index(row) + 1 if len(together) > 1 else None,
        )


def less(rows: Sequence[Said]) -> list[Said]:
    """Without what only the session's own rows have."""
    return [row._replace(commands=(), requirements=()) for row in rows]


# ── Every row ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("draw", DRAWN)
def test_the_full_view_has_exactly_the_rows(
    draw: Callable[[Diagram], Drawn], lifecycle: Sequence[Row]
) -> None:
    drawn = draw(Diagram(lifecycle, view="full"))
    places = drawn._replace(
        boxes={state: readers.joined(lines) for state, lines in drawn.boxes.items()},
        arrows={pair: readers.joined(lines) for pair, lines in drawn.arrows.items()},
    )
    rows = less(list(readers.rows(places)))
    assert sorted(rows, key=str) == sorted(wanted(lifecycle), key=str)
    assert set(drawn.boxes) == {name(state) for row in lifecycle for state in (row.source, row.target)}
    assert drawn.initial == name(lifecycle[0].source)


def test_scxml_and_json_have_exactly_the_rows_in_their_order(lifecycle: Sequence[Row]) -> None:
    for initial, rows in (
        readers.scxml(Diagram(lifecycle).to_scxml()),
        readers.from_json(Diagram(lifecycle).to_json()),
    ):
        assert less(rows) == [row._replace(order=None) for row in wanted(lifecycle)]
        assert initial == name(lifecycle[0].source)


def test_the_table_of_rows_has_exactly_the_rows_in_their_order(lifecycle: Sequence[Row]) -> None:
    diagram = Diagram(lifecycle, view="full")
    for cells, quote in (
        (readers.markdown(diagram.to_markdown()), "`"),
        (readers.rst(diagram.to_rst()), "``"),
    ):
        head, *body = cells
        assert head == ["in", "event", "if", "to", "does", "asks for", "runs", "see"]
        assert less([readers.table_row(row, quote) for row in body]) == [
            row._replace(source=row.source.replace("`", "'"), target=row.target.replace("`", "'"))
            for row in wanted(lifecycle)
        ]


def test_commands_and_requirements_are_the_same_in_every_language() -> None:
    full = Diagram(view="full")
    rows = {row[:4]: row for row in readers.from_json(full.to_json())[1] if row.event == "session_opened"}
    [opened] = [row for row in rows.values() if row.target == "established" and not row.internal]
    assert opened.commands == ("Persist", "Announce", "RunHook", "ReleaseWaiters")
    assert opened.requirements == ("LOGIN-2", "LOGIN-3", "LOGIN-6", "RENEW-11", "RESUME-2")

    def key(row: Said) -> tuple[object, ...]:
        return (row.source, row.event, row.target, row.internal, row.guards)

    every = {key(row): (row.commands, row.requirements) for row in readers.from_json(full.to_json())[1]}
    for draw in DRAWN:
        drawn = draw(full)
        places = drawn._replace(
            boxes={state: readers.joined(lines) for state, lines in drawn.boxes.items()},
            arrows={pair: readers.joined(lines) for pair, lines in drawn.arrows.items()},
        )
        assert {key(row): (row.commands, row.requirements) for row in readers.rows(places)} == every
    _, *table = readers.markdown(full.to_markdown())
    read = [readers.table_row(row, "`") for row in table]
    assert {key(row): (row.commands, row.requirements) for row in read} == every
    assert {key(row): row.requirements for row in readers.scxml(full.to_scxml())[1]} == {
        row: requirements for row, (_, requirements) in every.items()
    }


# ── The overview ────────────────────────────────────────────────────────────────────────────────


def hooks(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """The hooks of rows by their event."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        found.setdefault(row.event, {}).update(dict.fromkeys(row.hooks))
    return {event: tuple(names) for event, names in found.items()}


@pytest.mark.parametrize("draw", DRAWN)
def test_each_pair_of_states_has_one_arrow_with_the_events_and_hooks_of_its_rows(
    draw: Callable[[Diagram], Drawn], lifecycle: Sequence[Row]
) -> None:
    moving = [row for row in lifecycle if not row.internal]
    assert {pair: readers.events(lines) for pair, lines in draw(Diagram(lifecycle)).arrows.items()} == {
        (name(source), name(target)): hooks(
            [row for row in moving if (row.source, row.target) == (source, target)]
        )
        for source, target in {(row.source, row.target) for row in moving}
    }


@pytest.mark.parametrize("draw", DRAWN)
def test_what_stays_within_a_state_is_in_its_box_or_said_of_every_state(
    draw: Callable[[Diagram], Drawn], lifecycle: Sequence[Row]
) -> None:
    drawn = draw(Diagram(lifecycle))
    states = {row.source for row in lifecycle} | {row.target for row in lifecycle}
    effects = [{r[3:] + r[1:2] for r in lifecycle if r.source is s and r.internal} for s in states]
    shared = set.intersection(*effects)
    assert shared, "both charts have such rows"
    everywhere = drawn.legend.partition("In every state: ")[2].removesuffix(".").split("; ")
    for state in states:
        rows = [row for row in lifecycle if row.source is state and row.internal]
        own = hooks([row for row in rows if row[3:] + row[1:2] not in shared])
        assert readers.events(drawn.boxes[name(state)]) == own
        assert readers.events(everywhere) == hooks([row for row in rows if row[3:] + row[1:2] in shared])


def test_the_table_of_states_says_what_each_event_leads_to_in_each(lifecycle: Sequence[Row]) -> None:
    diagram = Diagram(lifecycle)
    markdown, rst = readers.markdown(diagram.to_markdown()), readers.rst(diagram.to_rst())
    assert [[cell.replace("``", "`") for cell in row] for row in rst] == markdown
    [_, *heads], *body = markdown
    states = list(dict.fromkeys([row.source for row in lifecycle] + [row.target for row in lifecycle]))
    assert heads == [f"in `{name(state)}`" for state in states]
    assert [row[0].strip("`") for row in body] == list(dict.fromkeys(row.event for row in lifecycle))
    for [event, *cells] in body:
        for state, cell in zip(states, cells, strict=True):
            rows = [row for row in lifecycle if row.source is state and row.event == event.strip("`")]
            if not rows:
                is_request = lifecycle is LIFECYCLE and event.strip("`") in REQUESTED
                assert cell == ("refused" if is_request else "dropped")
                continue
            outcomes = ["stays" if row.internal else f"to `{name(row.target)}`" for row in rows]
            assert cell.removesuffix(" (if)").split(", ") == list(dict.fromkeys(outcomes))
            assert cell.endswith(" (if)") == all(row.guards for row in rows)
