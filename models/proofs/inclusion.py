"""Whether real steps are steps of the relation that the proofs are about.

The relation was read off the code by running it on symbols. That this was done rightly is not proved
but checked: any real `Step`, from a test, a search or a recording, has to be one of the relation's
ways, with the same row, commands of the same kinds and numbers, and the same memory afterwards. So is
any real move of the clock, and what time brings next and what a caller gets.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final

import z3

from models.proofs.claims import Relation
from models.proofs.memory import FIELDS
from models.proofs.occasions import values_of_event
from models.proofs.readings import values_of
from models.proofs.relation import NOW, Edge, Prospect
from models.proofs.symbols import Term
from splus_session import Event, SessionState, Snapshot, Step
from splus_session import _core as core
from splus_session._core import Denied, Granted, Waiting
from splus_session.explore import Slice, explore, moves

ROUNDING: Final = 1e-3
"""Seconds. Within them a comparison of two times, reals there and floats here, may go either way."""

Values = dict[str, Any]
Evaluated = Callable[[Values], Any]
Tree = dict[Any, Any]
"""Decisions that lead to an `Edge`: `{"asks": term, True: tree, False: tree}`."""


class Ways:
    """The relation, to look steps up in. Feed it the steps of any search: it keeps nothing of them."""

    def __init__(self, relation: Relation) -> None:
        self._steps: dict[tuple[type, SessionState], Any] = {}
        self._moves: dict[SessionState, Any] = {}
        self._prospects: dict[SessionState, Any] = {}
        for edge in relation.steps:
            key = edge.event, edge.source
            self._steps[key] = _planted(self._steps.get(key), edge)
        for edge in relation.moves_of_the_clock:
            self._moves[edge.source] = _planted(self._moves.get(edge.source), edge)
        for ahead in relation.prospects:
            self._prospects[ahead.state] = _planted(self._prospects.get(ahead.state), ahead)

    def objections(self, steps: Iterable[Step]) -> Iterator[str]:
        """What is wrong with those steps that are not of the relation."""
        names: dict[object, int] = {}
        start: Snapshot | None = None
        before: Values = {}
        for step in steps:
            if step.before is not start:  # a search brings many steps from the same place
                start, before = step.before, values_of(step.before, names)
            values = {**before, **values_of_event(step.event, names), **_chance(step)}
            after = before if step.after is start else values_of(step.after, names)
            tree = self._steps.get((type(step.event), step.before.state))
            edges = list(_leaves(tree, values))
            told = [_difference(edge, values, before, after, step) for edge in edges]
            if all(told):
                what = f"{type(step.event).__name__} in {step.before.state.value}"
                yield f"{what}: {'; '.join(map(str, told)) or 'there is no such way'}"

    def objections_to_moves(self, moves: Iterable[tuple[Snapshot, Snapshot]]) -> Iterator[str]:
        """The same for moves of the clock, from one snapshot to the same one at another time."""
        for start, end in moves:
            names: dict[object, int] = {}
            before, after = values_of(start, names), values_of(end, names)
            values = {**before, str(NOW): end.now}
            edges = list(_leaves(self._moves.get(start.state), values))
            told = [_changed(edge, values, before, after) for edge in edges]
            if all(told):
                yield f"the clock in {start.state.value}: {'; '.join(map(str, told)) or 'no such way'}"

    def objections_to_prospects(self, snapshots: Iterable[Snapshot]) -> Iterator[str]:
        """The same for what time brings next, and for what a caller gets who needs a header."""
        for snapshot in snapshots:
            values = values_of(snapshot, {})
            due, answer = core.upcoming(snapshot), core.authorize(snapshot)
            found = list(_leaves(self._prospects.get(snapshot.state), values))
            told = [_misses(ahead, values, due, answer) for ahead in found]
            if all(told):
                yield f"ahead of {snapshot.state.value}: {'; '.join(map(str, told)) or 'no such way'}"


def steps_in(slice: Slice, *, unbounded: bool) -> Collection[Step]:
    """All the steps that the explorer finds in a slice, each once: of the same session, at the same event."""
    steps: dict[tuple[Snapshot, Event], Step] = {}
    for world in explore(slice, unbounded=unbounded).worlds:
        for move in moves(world, slice):
            if move.step is not None:
                steps.setdefault((move.step.before, move.step.event), move.step)
    return steps.values()


def _chance(step: Step) -> Values:
    """What the symbols for chance and for the power of two were in this step."""
    known: Values = {"chance 1": (step.after.seed >> 11) * 2.0**-53}
    if step.before.renewal is not None:
        known["power 1"] = 2.0 ** min(step.before.renewal.failures, 64)
    return known


def _planted(tree: Any, edge: Edge | Prospect) -> Any:
    """The tree with one more way in it."""
    root: Tree = {"": tree}
    place: Tree = root
    branch: Any = ""
    for term, answer in edge.path.decisions:
        if place.get(branch) is None:
            place[branch] = {"asks": _question(term)}
        place, branch = place[branch], answer
    place[branch] = edge
    return root[""]


def _leaves(tree: Any, values: Values) -> Iterator[Any]:
    """Where these values lead: to one place, or to several where rounding may decide."""
    if isinstance(tree, Edge | Prospect):
        yield tree
    elif tree is not None:
        for answer in tree["asks"](values):
            yield from _leaves(tree.get(answer), values)


def _difference(edge: Edge, values: Values, before: Values, after: Values, step: Step) -> str | None:
    if edge.row != step.row:
        return f"the row is {edge.row}, not {step.row}"
    wanted = [(type(command), _attempt(command, values)) for command in edge.commands]
    found = [(type(command), _number(command)) for command in step.commands]
    if wanted != found:
        return f"the commands are {wanted}, not {found}"
    return _changed(edge, values, before, after)


def _misses(
    ahead: Prospect, values: Values, due: tuple[float, Event] | None, answer: Granted | Waiting | Denied
) -> str | None:
    fact = None if due is None else type(due[1])
    if ahead.fact is not fact:
        return f"time brings {ahead.fact}, not {fact}"
    if due is not None and abs(evaluated(ahead.due)(values) - due[0]) > ROUNDING:
        return f"{fact} is due at {evaluated(ahead.due)(values)}, not {due[0]}"
    wanted, found = (type(ahead.answer), _attempt(ahead.answer, values)), (type(answer), _number(answer))
    return None if wanted == found else f"a caller gets {wanted}, not {found}"


def _number(answer: object) -> Any:
    return getattr(answer, "attempt", None)


def _attempt(command: Any, values: Values) -> Any:
    attempt = _number(command)
    return None if attempt is None else evaluated(attempt.term)(values)


def _changed(edge: Edge, values: Values, before: Values, after: Values) -> str | None:
    for name, found in after.items():
        if name in edge.written:
            wanted = getattr(edge.after, name)
            wanted = evaluated(wanted)(values) if z3.is_expr(wanted) else wanted
        else:
            wanted = before.get(name)
        exact = FIELDS[name] is not z3.Real
        if wanted is None or (wanted != found if exact else abs(wanted - found) > ROUNDING):
            return f"{name} is {wanted}, not {found}"
    return None


# ── Terms as functions of values ────────────────────────────────────────────────────────────────

_OPERATIONS: Final[dict[int, Callable[..., Any]]] = {
    z3.Z3_OP_SUB: operator.sub,
    z3.Z3_OP_DIV: operator.truediv,
    z3.Z3_OP_UMINUS: operator.neg,
    z3.Z3_OP_LE: operator.le,
    z3.Z3_OP_GE: operator.ge,
    z3.Z3_OP_LT: operator.lt,
    z3.Z3_OP_GT: operator.gt,
    z3.Z3_OP_EQ: operator.eq,
    z3.Z3_OP_DISTINCT: operator.ne,
    z3.Z3_OP_IMPLIES: lambda a, b: b or not a,
    z3.Z3_OP_NOT: operator.not_,
    z3.Z3_OP_TO_REAL: float,
    z3.Z3_OP_ADD: lambda *parts: sum(parts),
    z3.Z3_OP_MUL: lambda a, b: a * b,
    z3.Z3_OP_AND: lambda *parts: all(parts),
    z3.Z3_OP_OR: lambda *parts: any(parts),
    z3.Z3_OP_TRUE: lambda: True,
    z3.Z3_OP_FALSE: lambda: False,
}

_KNOWN: dict[int, tuple[Term, Evaluated]] = {}


def evaluated(term: Term) -> Evaluated:
    """A function that works out what a term is for given values of its variables."""
    key = term.get_id()
    if key not in _KNOWN:
        _KNOWN[key] = (term, _evaluated(term))  # keeps the term, so that its id stays its own
    return _KNOWN[key][1]


def _evaluated(term: Term) -> Evaluated:
    if z3.is_int_value(term) or z3.is_rational_value(term):
        number = term.as_long() if z3.is_int_value(term) else float(term.as_fraction())
        return lambda values: number
    kind, parts = term.decl().kind(), [evaluated(part) for part in term.children()]
    if kind == z3.Z3_OP_UNINTERPRETED:
        name = term.decl().name()
        return lambda values: values[name]
    if kind == z3.Z3_OP_ITE:
        condition, yes, no = parts
        return lambda values: yes(values) if condition(values) else no(values)
    operation = _OPERATIONS[kind]
    return lambda values: operation(*[part(values) for part in parts])


def _question(term: Term) -> Callable[[Values], list[bool]]:
    """The answers that a decision may have."""
    answer = evaluated(term)
    if term.num_args() != 2 or not z3.is_real(term.arg(0)):
        return lambda values: [answer(values)]
    left, right = evaluated(term.arg(0)), evaluated(term.arg(1))
    return lambda values: [True, False] if abs(left(values) - right(values)) <= ROUNDING else [answer(values)]
