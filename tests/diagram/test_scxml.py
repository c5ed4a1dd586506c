"""What is written in SCXML runs: in another interpreter, it does what the table does."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from statemachine.io import load

from splus_session import Row
from splus_session.diagram import Diagram
from tests.diagram import readers
from tests.diagram.charts import LIFECYCLES

Trace = list[tuple[str, tuple[str, ...]]]
"""After each event, the state and what was done on the way there."""


class Holds:
    """Whether each guard holds."""

    def __init__(self, guards: Sequence[str]) -> None:
        self.guards = guards

    def draw(self, chance: Random) -> dict[str, bool]:
        held = {guard: chance.random() < 0.6 for guard in self.guards}
        vars(self).update(held)
        return held


def by_table(
    rows: Sequence[Row], held: dict[str, bool], state: Any, event: str
) -> tuple[Any, tuple[str, ...]]:
    for row in rows:
        if row.source is state and row.event == event:
            if all(held[guard.name] is guard.expected for guard in row.guards):
                return row.target, (*row.reactions, *row.hooks)
    return state, ()


@pytest.mark.parametrize("lifecycle", LIFECYCLES.values(), ids=LIFECYCLES)
def test_it_runs_in_another_interpreter_with_the_same_traces(
    lifecycle: Sequence[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    text = Diagram(lifecycle).to_scxml()
    root = readers.parsed(text)
    names = {each.get("id"): each.get(f"{readers.SPLUS}name") for each in root.iter(f"{readers.SCXML}state")}
    chart: Any = load(text, format="scxml")
    events = list(dict.fromkeys(row.event for row in lifecycle))
    guards = list(dict.fromkeys(guard.name for row in lifecycle for guard in row.guards))
    moved = 0
    for seed in range(30):
        chance, model, state = Random(seed), Holds(guards), lifecycle[0].source
        machine = chart(model=model)
        for _ in range(60):
            held, event = model.draw(chance), chance.choice(events)
            before, (state, done) = state, by_table(lifecycle, held, state, event)
            machine.send(event)
            [active] = machine.configuration
            logged = [line.partition(": ")[2].strip("'") for line in capsys.readouterr().out.splitlines()]
            assert names[active.id] == (state.value if isinstance(state.value, str) else state.name)
            assert tuple(logged) == done
            moved += state is not before
    assert moved > 100
