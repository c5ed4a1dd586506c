"""The table against python-statemachine's own engine, which is asked for nothing else.

Where both agree over every state, event and valuation of the guards, the compiler has lost nothing
and `step` selects as the chart says. The faults below show that the comparison would see it.
"""

import random
from collections.abc import Mapping, Sequence
from types import new_class
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statemachine import StateChart
from statemachine.states import States

from splus_session import _core, _table
from splus_session._chart import SessionChart
from splus_session._states import SessionState
from splus_session._table import compile_chart
from tests.properties.opinions import Chart, Engine, Table, copy, disagreements, names, situations

FLAGS = {
    "allow_event_without_transition": True,
    "enable_self_transition_entries": False,
    "atomic_configuration_update": False,
    "catch_errors_as_events": False,
}


def test_the_table_agrees_with_the_engine_in_every_situation() -> None:
    assert list(disagreements(SessionChart)) == []


def test_the_comparison_has_situations_in_which_every_row_is_taken() -> None:
    table = copy(_core)
    rows = compile_chart(SessionChart)
    taken = set()
    reference = Table(rows, table)
    for state, event, values in situations(SessionChart):
        opinion = reference.opinion(state, event, values)
        if opinion.taken:
            taken.add((state, event, opinion.state, opinion.reactions, opinion.hooks))
    assert taken == {(row.source, row.event, row.target, row.reactions, row.hooks) for row in rows}


@pytest.mark.parametrize("seed", range(4))
def test_the_table_agrees_with_the_engine_on_random_walks(seed: int) -> None:
    chance = random.Random(seed)
    guards, _ = names(SessionChart)
    events = sorted({row.event for row in compile_chart(SessionChart)})
    engine, table = Engine(SessionChart), Table(compile_chart(SessionChart), copy(_core))
    here = there = SessionState.NOT_LOGGED_IN
    for _ in range(1_000):
        event = chance.choice(events)
        values = {guard: chance.random() < 0.7 for guard in guards}
        first, second = table.opinion(here, event, values), engine.opinion(there, event, values)
        assert first == second, (event, values)
        here, there = first.state, second.state


# ── Charts nobody wrote ─────────────────────────────────────────────────────────────────────────


class Arrow(NamedTuple):
    """One transition as it is declared; without a target it stays within its source."""

    source: SessionState
    target: SessionState | None
    events: Sequence[str]
    cond: Sequence[str] = ()
    unless: Sequence[str] = ()
    on: Sequence[str] = ()
    after: Sequence[str] = ()

    def never_taken(self, above: Sequence["Arrow"]) -> bool:
        """Whether, for one of its events, something above is taken whenever this would be."""
        return any(
            set(self.events) & set(other.events)
            and other.source is self.source
            and set(other.cond) <= set(self.cond)
            and set(other.unless) <= set(self.unless)
            for other in above
        )


def chart_of(arrows: Sequence[Arrow]) -> Chart:
    """A chart of these transitions, and of a ring through all states, for every one must be reachable."""
    at = States.from_enum(SessionState, initial=SessionState.NOT_LOGGED_IN)
    declared: dict[str, Any] = {}
    for arrow in arrows:
        source = getattr(at, arrow.source.name)
        said = {"cond": arrow.cond, "unless": arrow.unless, "on": arrow.on, "after": arrow.after}
        words: dict[str, Any] = {word: list(named) for word, named in said.items()}
        if arrow.target is None:
            transition = source.to.itself(internal=True, **words)
        else:
            transition = source.to(getattr(at, arrow.target.name), **words)
        for event in arrow.events:
            # The later one comes first in `|`: what counts is the order in which they were made.
            declared[event] = transition | declared[event] if event in declared else transition
    ring = list(SessionState)
    declared["token_expired"] = None
    for state, following in zip(ring, ring[1:] + ring[:1], strict=True):
        more = getattr(at, state.name).to(getattr(at, following.name))
        declared["token_expired"] = (
            more if declared["token_expired"] is None else declared["token_expired"] | more
        )
    return new_class(
        "RandomChart", (StateChart,), exec_body=lambda body: body.update(FLAGS, at=at, **declared)
    )


# Only events that may move a session have a reason, which the core needs for its announcement.
EVENT_NAMES = ["login", "resume", "token_renewed"]
GUARDS = [f"is_{letter}" for letter in "abcd"]
REACTIONS = [f"do_{letter}" for letter in "abc"]
HOOK_NAMES = ["run_on_login", "run_on_ban"]


def some(choices: Sequence[str], *, least: int = 0, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(choices), min_size=least, max_size=most, unique=True)


@st.composite
def arrow_lists(draw: st.DrawFn) -> list[Arrow]:
    arrows: list[Arrow] = []
    for _ in range(draw(st.integers(1, 12))):
        # Few sources: the more arrows share one, the more there is to choose between.
        source = draw(st.sampled_from(list(SessionState)[:3]))
        target = draw(st.sampled_from([state for state in SessionState if state is not source] + [None]))
        guards = draw(some(GUARDS, most=3))
        negated = draw(st.integers(0, len(guards)))
        arrow = Arrow(
            source,
            target,
            draw(some(EVENT_NAMES, least=1, most=2)),
            guards[negated:],
            guards[:negated],
            draw(some(REACTIONS, most=3)),
            draw(some(HOOK_NAMES, most=2)),
        )
        if not arrow.never_taken(arrows):
            arrows.append(arrow)
    return arrows


@given(arrow_lists())
def test_the_table_of_any_flat_chart_agrees_with_the_engine(arrows: list[Arrow]) -> None:
    assert list(disagreements(chart_of(arrows))) == []


# ── Seeded faults ───────────────────────────────────────────────────────────────────────────────

ODD_CHART = chart_of(
    [
        # Two hooks, two reactions, two guards of either kind, two events on one transition.
        Arrow(
            SessionState.NOT_LOGGED_IN,
            SessionState.ESTABLISHING,
            ["login", "resume"],
            cond=["is_a", "is_b"],
            unless=["is_c", "is_d"],
            on=["do_a", "do_b"],
            after=["run_on_login", "run_on_ban"],
        ),
        Arrow(SessionState.NOT_LOGGED_IN, None, ["login"], cond=["is_a"], on=["do_a"]),
        Arrow(SessionState.NOT_LOGGED_IN, SessionState.TERMINATED, ["resume"], on=["do_b"]),
    ]
)

Changes = tuple[tuple[str, str], ...]

COMPILER_FAULTS: Mapping[str, Changes] = {
    "a guard is dropped": (("            guards,\n", "            guards[1:],\n"),),
    "only the first guard counts": (("            guards,\n", "            guards[:1],\n"),),
    "cond and unless are swapped": (("bool(spec.expected_value)", "not spec.expected_value"),),
    "unless is read as cond": (("bool(spec.expected_value)", "True"),),
    "rows are in the opposite order": (("in state.transitions:", "in reversed(list(state.transitions)):"),),
    "a reaction is lost": (('_names(transition.on, where, "on")', '_names(transition.on, where, "on")[1:]'),),
    "reactions are reversed": (
        ('_names(transition.on, where, "on")', '_names(transition.on, where, "on")[::-1]'),
    ),
    "the target is the source": (("transition.target.value", "transition.source.value"),),
    "internal is lost": (("bool(transition.internal)", "False"),),
    "hooks are lost": (('in _names(transition.after, where, "after")', "in ()"),),
    "hooks are reversed": (
        ('in _names(transition.after, where, "after")', 'in _names(transition.after, where, "after")[::-1]'),
    ),
    "hooks are taken for reactions": (
        ('_names(transition.on, where, "on")', '_names(transition.after, where, "after")'),
    ),
    "a second event is forgotten": (("in transition.events:", "in list(transition.events)[:1]:"),),
    "an event gets another's name": (("str(event.id)", '{"login": "resume"}.get(event.id, event.id)'),),
    "conventions are taken for reactions": (
        (
            "for spec in specs if not spec.is_convention)",
            'for spec in specs if not spec.is_convention or spec.func == "on_transition")',
        ),
    ),
}
CORE_FAULTS: Mapping[str, Changes] = {
    "the last match wins": (
        (
            "for bound in _TABLE[type(event)].get(before.state, ()):",
            "for bound in reversed(_TABLE[type(event)].get(before.state, ())):",
        ),
    ),
    "expected is ignored": (("guard(before, event) is not expected", "not guard(before, event)"),),
    "only the first guard is asked": (("words in bound.guards:", "words in bound.guards[:1]:"),),
    "a row without guards is never taken": (
        (
            "        else:\n            return _take",
            "        else:\n            if bound.guards: return _take",
        ),
    ),
    "rows are bound in the opposite order": (
        ("(*table[event].get(row.source, ()), bound)", "(bound, *table[event].get(row.source, ()))"),
    ),
    "the state is not written": (("    after.state = target", "    target"),),
    "reactions run backwards": (("for reaction in reactions:", "for reaction in reversed(reactions):"),),
    "the first reaction is lost": (("for reaction in reactions:", "for reaction in reactions[1:]:"),),
    "only the first hook runs": (("for hook in row.hooks:", "for hook in row.hooks[:1]:"),),
}


# What the compiler refuses for its own sake is let through, so that the comparison has to see it.
LENIENT = ("    _refuse_names(chart, rows)\n    _refuse_twins(rows)\n", "")


def is_seen(table_module: Any, core: Changes) -> bool:
    return any(
        any(True for _ in disagreements(chart, table_module, copy(_core, *core)))
        for chart in (SessionChart, ODD_CHART)
    )


def test_without_a_fault_nothing_is_seen() -> None:
    assert not is_seen(copy(_table, LENIENT), ())


@pytest.mark.parametrize("changes", COMPILER_FAULTS.values(), ids=COMPILER_FAULTS)
def test_a_fault_of_the_compiler_is_seen(changes: Changes) -> None:
    assert is_seen(copy(_table, LENIENT, *changes), ())


@pytest.mark.parametrize("changes", CORE_FAULTS.values(), ids=CORE_FAULTS)
def test_a_fault_of_the_selection_is_seen(changes: Changes) -> None:
    assert is_seen(_table, changes)
