"""What a claim is, and how z3 is asked about it."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Final, NamedTuple

import z3

from models.proofs.invariant import INVARIANT, LINEAR, Sentence, assumed
from models.proofs.memory import BEFORE, FIGURES, Memory, plausible
from models.proofs.readings import values_of
from models.proofs.relation import Edge, Plan, Prospect, clock_edges, edges, plans, prospects
from models.proofs.symbols import Term
from splus_session import Config, Event, Snapshot
from splus_session._events import EVENTS

PATIENCE: Final = 60_000
"""How long z3 may think about one question, in milliseconds. A question without an answer is a failure."""


class Relation:
    """All ways through the code, each worked out when somebody asks for it first."""

    def __init__(self, events: Iterable[type[Event]] = EVENTS) -> None:
        self._events = tuple(events)

    @cached_property
    def steps(self) -> list[Edge]:
        """Through `step`."""
        return list(edges(self._events))

    @cached_property
    def moves_of_the_clock(self) -> list[Edge]:
        """Through `at_time`."""
        return list(clock_edges())

    @cached_property
    def prospects(self) -> list[Prospect]:
        """Through `upcoming` and `authorize`."""
        return list(prospects())

    @cached_property
    def plans(self) -> list[Plan]:
        """Through taking a credential into use."""
        return list(plans())


class Breach(NamedTuple):
    """How a claim would be broken: where, and under what condition."""

    where: str
    when: Term


class Claim(NamedTuple):
    """Something that is so of every session, however long it lives."""

    name: str
    requirements: tuple[str, ...]
    method: str
    breaches: "Breaches"
    assuming: tuple[Sentence, ...] = tuple(LINEAR)


Breaches = Callable[[Relation], Iterator[Breach]]
"""All ways to break it. Each has to be impossible for a session that satisfies the invariant."""


class Verdict(NamedTuple):
    """What z3 said of a claim."""

    claim: Claim
    breaches: int
    """How many ways there were to break it."""
    seconds: float
    counterexample: str | None
    """None: proved."""


CLAIMS: Final[list[Claim]] = []


def judge(claim: Claim, relation: Relation) -> Verdict:
    """Ask z3 for a session that satisfies the invariant and breaks the claim."""
    started = time.perf_counter()
    breaches = list(claim.breaches(relation))
    solver = z3.Solver()
    solver.set("timeout", PATIENCE)
    solver.add(*plausible(BEFORE), *assumed(BEFORE, claim.assuming))
    solver.add(z3.Or([breach.when for breach in breaches]))
    answer = solver.check()
    counterexample = None
    if answer == z3.sat:
        counterexample = _shown(solver.model(), breaches)
    elif answer != z3.unsat:
        counterexample = f"z3 does not know: {solver.reason_unknown()}"
    elif not breaches:
        counterexample = "there is nothing that could break it, so it says nothing"
    return Verdict(claim, len(breaches), time.perf_counter() - started, counterexample)


def _shown(model: Term, breaches: list[Breach]) -> str:
    [breach, *_] = [
        breach for breach in breaches if z3.is_true(model.eval(breach.when, model_completion=True))
    ] or breaches
    values = sorted(f"{symbol.name()} = {model[symbol]}" for symbol in model.decls())
    return "\n".join([breach.where, *values])


# ── Kinds of claims ─────────────────────────────────────────────────────────────────────────────


def invariant(sentence: Sentence) -> Claim:
    """By induction: it holds of a new session, and every step and every move of the clock keeps it."""
    recorder = BEFORE.but({})
    sentence.of(recorder)

    def breaches(relation: Relation) -> Iterator[Breach]:
        yield Breach("a new session", z3.Not(sentence.of(initial())))
        # Of what it does not look at it says after the step what it said before. And many ways end alike.
        alike: dict[tuple[Any, ...], list[Edge]] = {}
        for edge in (*relation.steps, *relation.moves_of_the_clock):
            if looked_at := sorted(edge.written & recorder.read):
                ending = tuple((name, _known(getattr(edge.after, name))) for name in looked_at)
                alike.setdefault(ending, []).append(edge)
        for ways in alike.values():
            broken = z3.Not(sentence.of(ways[0].after))
            for edge in ways:
                yield Breach(edge.label, z3.And(edge.when, broken))

    assuming = tuple(LINEAR) if sentence in LINEAR else (*LINEAR, sentence)
    return Claim(sentence.name, sentence.requirements, "induction", breaches, assuming)


def _known(value: Any) -> Any:
    """A plain value, or which term it is: each is made once."""
    return value if isinstance(value, bool | int | float) else id(value)


def initial() -> Memory:
    """The memory of a session that was just made, with any figures and at any time."""
    values = values_of(Snapshot(Config(), 0), {})
    return BEFORE.but({name: value for name, value in values.items() if name not in _ANY})


_ANY: Final = {*FIGURES, "development", "now"}

Judgement = Callable[[Edge, Memory, Memory], Term]


def about_steps(*requirements: str) -> Callable[[Judgement], Judgement]:
    """A claim about every step, from any session that satisfies the invariant."""
    return _about(requirements, "every step", lambda relation: relation.steps)


def about_the_clock(*requirements: str) -> Callable[[Judgement], Judgement]:
    """A claim about every move of the clock."""
    return _about(requirements, "every move of the clock", lambda relation: relation.moves_of_the_clock)


def _about(
    requirements: tuple[str, ...], method: str, edges_of: Callable[[Relation], list[Edge]]
) -> Callable[[Judgement], Judgement]:
    def register(holds: Judgement) -> Judgement:
        def breaches(relation: Relation) -> Iterator[Breach]:
            for edge in edges_of(relation):
                claimed = holds(edge, BEFORE, edge.after)
                if claimed is not True:
                    yield Breach(edge.label, z3.And(edge.when, z3.Not(claimed)))

        CLAIMS.append(Claim(_named(holds), requirements, method, breaches))
        return holds

    return register


Outlook = Callable[[Prospect, Memory], Term]


def about_rest(*requirements: str) -> Callable[[Outlook], Outlook]:
    """A claim about every session when nothing is due: `SessionCore` leaves it so after every call."""
    return _about_prospects(requirements, "every rest", at_rest=True)


def about_any_moment(*requirements: str) -> Callable[[Outlook], Outlook]:
    """The same, though something may be due."""
    return _about_prospects(requirements, "every moment", at_rest=False)


def _about_prospects(
    requirements: tuple[str, ...], method: str, *, at_rest: bool
) -> Callable[[Outlook], Outlook]:
    def register(holds: Outlook) -> Outlook:
        def breaches(relation: Relation) -> Iterator[Breach]:
            for ahead in relation.prospects:
                claimed = holds(ahead, BEFORE)
                if claimed is not True:
                    rests = True if ahead.due is None or not at_rest else ahead.due > BEFORE.now
                    yield Breach(ahead.state.value, z3.And(ahead.when, rests, z3.Not(claimed)))

        CLAIMS.append(Claim(_named(holds), requirements, method, breaches))
        return holds

    return register


def _named(holds: Callable[..., Term]) -> str:
    return holds.__name__.replace("_", " ")


CLAIMS.extend(invariant(sentence) for sentence in INVARIANT)
