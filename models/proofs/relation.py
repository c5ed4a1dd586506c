"""The relation, read off the code: every way through `step`, `at_time`, `upcoming` and `authorize`.

The code runs as it is, on sketches. Three of its names are given another meaning for that time:
`_rules.draft_of`, which copies a sketch field by field unless told how to; `_rules._random`, for
which any number from 0 up to 1 is as good; and `min` and `max`, which need no decision.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast
from unittest import mock

import z3

from models.proofs.invariant import LINEAR, assumed
from models.proofs.memory import BEFORE, STATES, Memory, plausible
from models.proofs.occasions import any_event
from models.proofs.readings import terms_of
from models.proofs.sketches import Sketch, credential_of
from models.proofs.symbols import REAL, ImpossibleError, Path, Term, explore, greatest, least, same, symbol
from splus_session import Command, Event, Row, SessionState
from splus_session import _core as core
from splus_session import _rules as rules
from splus_session._core import Denied, Granted, Waiting
from splus_session._credentials import MAX_TIME
from splus_session._events import EVENTS, TimeFact


class Edge(NamedTuple):
    """One way through a step."""

    event: type[Event]
    source: SessionState
    when: Term
    """Under what this way is taken: a condition on the memory before, the event, and chance."""
    after: Memory
    written: frozenset[str]
    """The fields of `Memory` that are not as before, or not for certain."""
    commands: tuple[Command, ...]
    row: Row | None
    """None: the event was dropped."""
    path: Path

    @property
    def label(self) -> str:
        """What happens, and where."""
        return f"{self.event.__name__} in {self.source.value}"


class Prospect(NamedTuple):
    """One way through a question about a snapshot."""

    state: SessionState
    when: Term
    due: Term | None
    """When time brings something; None: it never will."""
    fact: type[TimeFact] | None
    answer: Granted | Waiting | Denied
    path: Path


@contextlib.contextmanager
def _on_symbols() -> Iterator[None]:
    """Let the code take sketches for snapshots."""

    def random(draft: Sketch) -> Any:
        chance = draft.__dict__["_path"].fresh("chance")
        draft.__dict__["_path"].assume(chance.term >= 0, chance.term < 1)
        return chance

    with (
        mock.patch.object(rules, "draft_of", lambda snapshot: snapshot.draft()),
        mock.patch.object(rules, "_random", random),
        mock.patch.object(rules, "min", least, create=True),
        mock.patch.object(rules, "max", greatest, create=True),
    ):
        yield


class _Pruner:
    """Knows which paths can be taken. One path begins as the last one did, so z3 goes on from there."""

    def __init__(self) -> None:
        self._solver = z3.SimpleSolver()
        self._solver.add(*plausible(BEFORE), *assumed(BEFORE, LINEAR))
        self._stack: list[Term] = []

    def possible(self, path: Path) -> bool:
        common = 0
        for old, new in zip(self._stack, path.condition, strict=False):
            if old is not new:
                break
            common += 1
        self._solver.pop(len(self._stack) - common)
        for term in path.condition[common:]:
            self._solver.push()
            self._solver.add(term)
        self._stack = list(path.condition)
        return bool(self._solver.check() != z3.unsat)


def _explored(run: Callable[[Path], Any]) -> Iterator[tuple[Path, Any]]:
    with _on_symbols():
        yield from explore(run, _Pruner().possible)


def _sketch(path: Path, state: SessionState) -> Sketch:
    sketch = Sketch(path, state)
    path.assume(same(BEFORE.state, STATES.index(state)))
    path.within(sketch.now, -MAX_TIME, MAX_TIME)
    return sketch


def _after(sketch: Any) -> tuple[Memory, frozenset[str]]:
    changes: dict[str, Any] = {}
    for field, value in sketch.written.items():
        changes |= terms_of(field, value, {})
    return BEFORE.but(changes), frozenset(changes)


def edges(events: Iterable[type[Event]] = EVENTS, states: Iterable[SessionState] = STATES) -> Iterator[Edge]:
    """Every way through `step`, for these events in these states.

    What time brings comes as it does in `SessionCore.advance`: when it is due, and not before.
    """
    for event in events:
        for state in states:
            yield from _edges(event, state)


def _edges(kind: type[Event], state: SessionState) -> Iterator[Edge]:
    def run(path: Path) -> Any:
        sketch: Any = _sketch(path, state)
        if issubclass(kind, TimeFact):
            due = core.upcoming(sketch)
            if due is None or type(due[1]) is not kind or not due[0] <= sketch.now:
                raise ImpossibleError
        with any_event(path, kind) as event:
            step = core.step(sketch, event, sketch.now)
            # Here, since reading off what was written may decide something, too.
            return step, *((BEFORE, frozenset[str]()) if step.row is None else _after(step.after))

    for path, (step, after, written) in _explored(run):
        yield Edge(kind, state, z3.And(path.condition), after, written, step.commands, step.row, path)


NOW = symbol("the time", REAL)


def clock_edges(states: Iterable[SessionState] = STATES) -> Iterator[Edge]:
    """Every way through `at_time`, to any time. No event, no row."""

    def run(path: Path, state: SessionState) -> Any:
        now: Any = path.number(str(NOW))
        path.within(now, -MAX_TIME, MAX_TIME)
        return _after(core.at_time(cast("Any", _sketch(path, state)), now))

    for state in states:
        for path, (after, written) in _explored(lambda path, state=state: run(path, state)):  # type: ignore[misc]
            yield Edge(cast("Any", type(None)), state, z3.And(path.condition), after, written, (), None, path)


def prospects(states: Iterable[SessionState] = STATES) -> Iterator[Prospect]:
    """Every way through `upcoming` and then `authorize`."""

    def run(path: Path, state: SessionState) -> Any:
        sketch: Any = _sketch(path, state)
        return core.upcoming(sketch), core.authorize(sketch)

    for state in states:
        for path, (due, answer) in _explored(lambda path, state=state: run(path, state)):  # type: ignore[misc]
            when = z3.And(path.condition)
            if due is None:
                yield Prospect(state, when, None, None, answer, path)
            else:
                yield Prospect(state, when, _value(due[0]), type(due[1]), answer, path)


class Plan(NamedTuple):
    """One way through taking a credential into use: `_use`, and then `expiry`."""

    when: Term
    renew_at: Term
    dies_at: Term


def plans() -> Iterator[Plan]:
    """When renewal is planned and when the token counts as expired, for one that ever does."""

    def run(path: Path) -> Any:
        sketch: Any = _sketch(path, SessionState.ESTABLISHED)
        credential = credential_of(path, "event_")
        if credential.expires_at is None:
            raise ImpossibleError
        rules._use(sketch, credential, 0)
        return sketch.renew_at, rules.expiry(sketch.config, credential)

    for path, (renew_at, dies_at) in _explored(run):
        yield Plan(z3.And(path.condition), _value(renew_at), _value(dies_at))


def _value(number: Any) -> Term:
    return getattr(number, "term", number)
