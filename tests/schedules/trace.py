"""What a session did, written down while it ran: what its core was given, and what its driver carried out.

The core's inputs are in the order in which it had them, each with the steps that came of it; what the
driver did is there once it was done. `judge.py` holds the one against the other.
"""

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from splus_session import Config, Event, SessionCore, Snapshot, Step
from splus_session._commands import (
    Announce,
    Change,
    Command,
    HookCall,
    OpenSession,
    Persist,
    ReleaseWaiters,
    Renew,
    Revoke,
    RevokeOrphan,
    Verify,
)
from splus_session._core import Granted
from splus_session._events import event_name

SENT = OpenSession | Renew | Verify | Revoke | RevokeOrphan
IN_ORDER = Persist | Announce | ReleaseWaiters
"""What the drainer does itself, one after the other."""


@attrs.frozen
class Input:
    """What the core was given: an event, or only the time."""

    event: Event | None
    now: float
    before: Snapshot
    steps: tuple[Step, ...]


@attrs.frozen
class Done:
    """The driver carried out a command; of one for the handler, only its number is known."""

    command: Command


@attrs.frozen
class Hooked:
    """The app's hook was called."""

    call: HookCall


@attrs.frozen
class Heard:
    """An observer of the app's heard of a change."""

    change: Change
    observer: int


@attrs.frozen
class Told:
    """A caller got an answer."""

    actor: int
    method: str
    outcome: str
    since: int
    """How long the trace was when it called."""


@attrs.frozen
class Note:
    """Anything else that a reader wants to know."""

    text: str


Entry = Input | Done | Hooked | Heard | Told | Note


SHOWN = 100
"""Lines of the beginning of a trace, and as many of its end."""


class Trace(list[Entry]):
    """See the module."""

    def __init__(self, time: Callable[[], float]) -> None:
        super().__init__()
        self._time = time
        self._times: list[float] = []

    def add(self, entry: Entry) -> None:
        """Something happened."""
        self.append(entry)
        self._times.append(self._time())

    def done(self, *kinds: Any) -> list[Any]:
        """The commands of these kinds that were carried out, in order."""
        return [
            entry.command for entry in self if isinstance(entry, Done) and isinstance(entry.command, kinds)
        ]

    @property
    def inputs(self) -> list[Input]:
        """What the core was given."""
        return [entry for entry in self if isinstance(entry, Input)]

    def commanded(self, kinds: Any) -> list[Any]:
        """The commands of these kinds that there were, in order."""
        steps = [step for given in self.inputs for step in given.steps]
        return [_bare(command) for step in steps for command in step.commands if isinstance(command, kinds)]

    def shown(self) -> str:
        """It for a reader: of a long one, the beginning and the end."""
        lines = str(self).splitlines()
        if len(lines) > 2 * SHOWN:
            lines[SHOWN:-SHOWN] = [f"  … {len(lines) - 2 * SHOWN} lines …"]
        return "\n".join(lines)

    def __str__(self) -> str:
        lines = []
        for entry, at in zip(self, self._times, strict=True):
            lines += [f"  {at:9.3f}  {line}" for line in _described(entry)]
        return "\n".join(lines)


class RecordingCore(SessionCore):
    """A core that writes down what it is given."""

    def __init__(self, config: Config, seed: int, trace: Trace, point: Callable[[], None]) -> None:
        super().__init__(config, seed=seed)
        self._trace = trace
        self._point = point
        self._busy = False
        self.granted: list[int | None] = [None]
        """The attempt whose credential authorised requests, step by step."""

    def receive(self, event: Event, now: float) -> list[Step]:
        return self._record(event, now, lambda: SessionCore.receive(self, event, now))

    def advance(self, now: float) -> list[Step]:
        return (
            SessionCore.advance(self, now)
            if self._busy
            else self._record(None, now, lambda: SessionCore.advance(self, now))
        )

    def _record(self, event: Event | None, now: float, take: Callable[[], list[Step]]) -> list[Step]:
        before = self.snapshot
        self._busy = True
        steps = take()
        self._busy = False
        self._point()  # a thread may be interrupted in here, as in any code, and others must be kept out
        verdict = self.authorization()
        self.granted.append(verdict.attempt if isinstance(verdict, Granted) else None)
        if event is not None or steps or now != before.now:
            self._trace.add(Input(event, now, before, tuple(steps)))
        return steps


def _bare(command: Command) -> Command:
    """What the driver shows of a command: not with which failure it settles."""
    return ReleaseWaiters(command.attempt) if isinstance(command, ReleaseWaiters) else command


# ── Words ───────────────────────────────────────────────────────────────────────────────────────


def described(step: Step) -> str:
    """A step in a line."""
    end = f"dropped ({step.dropped})" if step.dropped else step.after.state.value
    commands = ", ".join(type(command).__name__ for command in step.commands)
    return f"{event_name(step.event)} → {end}{f': {commands}' if commands else ''}"


def _described(entry: Entry) -> Iterable[str]:
    match entry:
        case Input():
            return [f"core     {described(step)}" for step in entry.steps] or ["core     looks at the time"]
        case Done():
            return [f"driver   {_short(entry.command)}"]
        case Hooked():
            return [f"app      its {entry.call.hook} is called"]
        case Heard():
            return [f"app      observer {entry.observer} hears {entry.change.state.value}"]
        case Told():
            return [f"caller   {entry.actor}: {entry.method}: {entry.outcome}"]
        case Note():
            return [entry.text]


def _short(command: Command) -> str:
    match command:
        case Persist():
            return "has deleted what was stored" if command.record is None else "has stored the record"
        case Announce():
            return f"tells {command.change.state.value}"
        case ReleaseWaiters():
            return f"settles attempt {command.attempt}"
        case _:
            return f"sends {type(command).__name__}" if isinstance(command, SENT) else f"asks {command}"
