"""Named properties of the core, each with the requirements that it speaks for.

A property answers yes, no, or None: that it has nothing to say about this subject. Whoever checks
counts the answers, so that one which never had anything to say is not taken for one that holds.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import attrs

from splus_session import Config, Event, SessionCore, Snapshot, Step, step

T = TypeVar("T")


class Property(NamedTuple, Generic[T]):
    """A sentence about snapshots, steps or outcomes, and the ids of what would be breached without it."""

    name: str
    requirements: tuple[str, ...]
    holds: Callable[[T], bool | None]


class Outcome(NamedTuple):
    """What `SessionCore.receive` made of an event: the steps, from where, and where to."""

    start: Snapshot
    start_hash: int
    """Of the start before the event came: nothing may write to a snapshot that others have."""
    event: Event
    now: float
    steps: tuple[Step, ...]
    end: Snapshot


SNAPSHOTS: list[Property[Snapshot]] = []
STEPS: list[Property[Step]] = []
OUTCOMES: list[Property[Outcome]] = []

Judgement = Callable[[T], bool | None]


def all_properties() -> list[Property[Any]]:
    """All that there are, whatever they are about."""
    return [*SNAPSHOTS, *STEPS, *OUTCOMES]


def about_snapshots(*requirements: str) -> Callable[[Judgement[Snapshot]], Judgement[Snapshot]]:
    """The invariant: it is the conjunction of these."""
    return _registering(SNAPSHOTS, requirements)


def about_steps(*requirements: str) -> Callable[[Judgement[Step]], Judgement[Step]]:
    """Of any one step, from a snapshot that satisfies the invariant."""
    return _registering(STEPS, requirements)


def about_outcomes(*requirements: str) -> Callable[[Judgement[Outcome]], Judgement[Outcome]]:
    """Of an event with all that was due before it and became due by it."""
    return _registering(OUTCOMES, requirements)


def _registering(
    properties: list[Property[T]], requirements: tuple[str, ...]
) -> Callable[[Judgement[T]], Judgement[T]]:
    def register(holds: Judgement[T]) -> Judgement[T]:
        name = getattr(holds, "__name__", "").replace("_", " ")
        properties.append(Property(name, requirements, holds))
        return holds

    return register


class BrokenError(AssertionError):
    """A property does not hold; the message shows of what."""

    def __init__(self, broken: Property[Any], subject: object) -> None:
        ids = ", ".join(broken.requirements)
        super().__init__(f"it is not so that {broken.name} [{ids}]:\n{_shown(subject)}")
        self.name = broken.name


def _shown(subject: object) -> str:
    match subject:
        case Snapshot():
            return ", ".join(_differences(subject, Snapshot(Config(), 0)))
        case Config():
            return f"Config({', '.join(_differences(subject, Config()))})"
        case Step():
            parts = [f"before: {_shown(subject.before)}", f"event:  {subject.event}"]
            parts.append(f"after:  {_shown(subject.after)}")
            parts += [f"command {command}" for command in subject.commands] or ["no commands"]
            parts.append(f"dropped: {subject.dropped}" if subject.dropped else f"row: {subject.row}")
            return "\n".join(parts)
        case Outcome():
            steps = "\n".join(_shown(taken) for taken in subject.steps)
            return f"start: {_shown(subject.start)}\n{subject.event} at {subject.now}\n{steps}"
        case _:
            return repr(subject)


def _differences(subject: Any, ordinary: object) -> list[str]:
    """The fields that are not as usual."""
    names = [field.name for field in attrs.fields(type(subject))]
    told = [(name, getattr(subject, name)) for name in names]
    return [f"{name}={_shown(what)}" for name, what in told if what != getattr(ordinary, name)]


class Jury:
    """Judges by all properties, or by those of some names, and counts which had something to say."""

    def __init__(self, *names: str) -> None:
        self.witnesses: Counter[str] = Counter()
        self._snapshots = [named for named in SNAPSHOTS if not names or named.name in names]
        self._steps = [named for named in STEPS if not names or named.name in names]
        self._outcomes = [named for named in OUTCOMES if not names or named.name in names]
        known = {named.name for named in all_properties()}
        assert known.issuperset(names), f"no such property: {set(names) - known}"

    @property
    def silent(self) -> list[str]:
        """The properties that had nothing to say until now."""
        judging: list[Property[Any]] = [*self._snapshots, *self._steps, *self._outcomes]
        return [named.name for named in judging if not self.witnesses[named.name]]

    def judge_move(self, snapshot: Snapshot, event: Event, now: float) -> None:
        """Judge what one event does to a session: alone, and together with what is due.

        Raises:
            BrokenError: at the first property that does not hold.
        """
        was = hash(snapshot)
        self._judge(self._snapshots, snapshot)
        self.judge_step(step(snapshot, event, now))
        core = SessionCore.of(snapshot)
        steps = tuple(core.receive(event, now))
        self.judge_outcome(Outcome(snapshot, was, event, now, steps, core.snapshot))

    def judge_step(self, taken: Step) -> None:
        """Judge a step, where it began and where it led."""
        self._judge(self._snapshots, taken.before)
        self._judge(self._steps, taken)
        self._judge(self._snapshots, taken.after)

    def judge_outcome(self, outcome: Outcome) -> None:
        """Judge all the steps of an outcome, and the outcome."""
        for taken in outcome.steps:
            self.judge_step(taken)
        self._judge(self._outcomes, outcome)

    def _judge(self, properties: Iterable[Property[T]], subject: T) -> None:
        for named in properties:
            verdict = named.holds(subject)
            if verdict is None:
                continue
            if not verdict:
                raise BrokenError(named, subject)
            self.witnesses[named.name] += 1
