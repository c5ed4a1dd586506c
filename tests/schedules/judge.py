"""A trace held against the bare core, and a running session against its own.

A trace is valid if a core of its own, given the same at the same times, takes the same steps; if what
was stored, told and settled is what these steps command, in that order, and nothing was sent, asked or
hooked before or beside that; and if every step satisfies the named properties of `tests/properties`.
"""

from collections import Counter
from typing import Any

from splus_session import Config, Event, Logout, SessionCore, SessionState, Step
from splus_session._commands import Announce, AskRenewal, Change, Command, RunHook
from splus_session._core import Granted, upcoming
from splus_session._engine import Engine
from splus_session._events import TimeFact, event_name
from tests.properties import about_outcomes, about_snapshots, about_steps
from tests.properties.monitors import BrokenError, Jury, Outcome
from tests.schedules.trace import IN_ORDER, SENT, Done, Heard, Hooked, Input, Told, Trace, described

JUDGES = (about_snapshots, about_steps, about_outcomes)
"""Imported for the properties that they register."""


class InvalidTraceError(AssertionError):
    """A session did what it should not."""


def validate(trace: Trace, config: Config, seed: int, *, slack: float = 0.0, finished: bool = True) -> Jury:
    """Hold a trace against the bare core. Gives the jury, which knows what it had something to say of.

    Args:
        trace: what happened.
        config: the session's.
        seed: of the session's jitter.
        slack: seconds by which the driver may be late, for the machine was slow or its clock was set.
        finished: whether everything was to be carried out.

    Raises:
        InvalidTraceError: the first difference.
    """
    validate_inputs(trace, config, seed)
    jury = _judge(trace)
    _in_order("stored, told, settled", trace.done(*IN_ORDER.__args__), trace.commanded(IN_ORDER), finished)
    hooked = [entry.call for entry in trace if isinstance(entry, Hooked)]
    _in_order("hooked", hooked, [run.call for run in trace.commanded(RunHook)], finished)
    _observed(trace, finished)
    _at_most_once(trace)
    _told_first(trace)
    _answered_last(trace)
    _punctual(trace, slack)
    return jury


def validate_inputs(trace: Trace, config: Config, seed: int) -> None:
    """See `validate`: as far as it is about what the core was given, and what came of it."""
    core = SessionCore(config, seed=seed)
    for number, given in enumerate(trace.inputs):
        if given.before != core.snapshot:
            raise InvalidTraceError(
                f"input {number}, {_named(given.event)}, met a session that the core has not"
            )
        steps = core.advance(given.now) if given.event is None else core.receive(given.event, given.now)
        if tuple(steps) != given.steps:
            raise InvalidTraceError(
                f"input {number}, {_named(given.event)}: the core makes of it {[described(s) for s in steps]}, "
                f"and here it came to {[described(s) for s in given.steps]}"
            )


def _judge(trace: Trace) -> Jury:
    jury = Jury()
    try:
        for given in trace.inputs:
            if given.event is None or isinstance(given.event, TimeFact):
                for step in given.steps:
                    jury.judge_step(step)
                continue
            end = given.steps[-1].after
            jury.judge_outcome(
                Outcome(given.before, hash(given.before), given.event, given.now, given.steps, end)
            )
    except BrokenError as broken:
        raise InvalidTraceError(str(broken)) from broken
    return jury


def _in_order(what: str, found: list[Any], expected: list[Any], finished: bool) -> None:
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        if one != other:
            raise InvalidTraceError(
                f"what was {what}, number {number}, should be {_plain(other)}, and is {_plain(one)}"
            )
    if len(found) > len(expected):
        raise InvalidTraceError(f"{_plain(found[len(expected)])} was {what}, and no step commands it")
    if finished and len(found) < len(expected):
        raise InvalidTraceError(f"{_plain(expected[len(found)])} was never {what}")


def _observed(trace: Trace, finished: bool) -> None:
    """Every observer heard where the session was when it came, and from then on every change, once. [OBSERVE-1]"""
    told = [announce.change for announce in trace.done(Announce)]
    heard: dict[int, list[Change]] = {}
    for entry in trace:
        if isinstance(entry, Heard):
            heard.setdefault(entry.observer, []).append(entry.change)
    for number, (first, *others) in heard.items():
        begun = told.index(first) + 1 if first in told else 0
        _in_order(f"heard by observer {number}", others, told[begun:], finished)


def _at_most_once(trace: Trace) -> None:
    """Requests and questions may be overtaken by a closing, but nothing is sent or asked that is not commanded."""
    for kinds in (SENT, AskRenewal):
        extra = Counter(trace.done(*getattr(kinds, "__args__", (kinds,))))
        extra.subtract(trace.commanded(kinds))
        for command, count in extra.items():
            if count > 0:
                raise InvalidTraceError(f"{_plain(command)} was carried out {count} times too often")


def _told_first(trace: Trace) -> None:
    """Nothing is sent or asked, and no hook called, before its step is stored and told."""
    before: dict[Command, int] = {}
    count = 0
    for command in trace.commanded(Command):
        if isinstance(command, IN_ORDER):
            count += 1
        else:
            before.setdefault(command, count)
    count = 0
    for entry in trace:
        if isinstance(entry, Done) and isinstance(entry.command, IN_ORDER):
            count += 1
            continue
        late: Command | None = entry.command if isinstance(entry, Done) else None
        if isinstance(entry, Hooked):
            late = RunHook(entry.call)
        if late is not None and count < before.get(late, 0):
            raise InvalidTraceError(f"{_plain(late)} came before what its step stores and tells")


def _answered_last(trace: Trace) -> None:
    """Who logs in or out gets an answer once that has been stored and told. [LOGIN-2] [LOGOUT-1]"""
    for number, entry in enumerate(trace):
        if not isinstance(entry, Told) or entry.outcome != "done":
            continue
        meanwhile = [each for each in trace[entry.since : number] if isinstance(each, Input | Done)]
        if entry.method == "login":
            states = [
                each.command.change.state
                for each in meanwhile
                if isinstance(each, Done) and isinstance(each.command, Announce)
            ]
            if SessionState.ESTABLISHED not in states:
                raise InvalidTraceError(f"caller {entry.actor} is told of a login before observers are")
        steps = [step for each in meanwhile if isinstance(each, Input) for step in each.steps]
        mine = [step for step in steps if entry.method == "logout" and isinstance(step.event, Logout)]
        if mine and (left := _not_carried_out(trace, mine[0], number)):
            raise InvalidTraceError(f"caller {entry.actor} is told of a logout before that: {_plain(left)}")


def _not_carried_out(trace: Trace, last: Step, number: int) -> list[Command]:
    """What the steps up to this one command, and is not done when the trace is so long."""
    commands: list[Command] = []
    for step in (step for given in trace.inputs for step in given.steps):
        commands += [command for command in step.commands if isinstance(command, IN_ORDER)]
        if step is last:
            break
    done = [each for each in trace[:number] if isinstance(each, Done) and isinstance(each.command, IN_ORDER)]
    return commands[len(done) :]


def _punctual(trace: Trace, slack: float) -> None:
    """What time brings, it brings at its time: the driver is never later than it could know. [EXPIRE-1]"""
    for given in trace.inputs:
        due = upcoming(given.before)
        late = 0.0 if due is None else given.now - max(due[0], given.before.now)
        if due is not None and late > slack:
            raise InvalidTraceError(f"{event_name(due[1])} came {late:g} s late")


# ── What holds all the while ────────────────────────────────────────────────────────────────────


def check_header(engine: Engine[Any]) -> None:
    """Whatever authorises a request is what the core's last step left: cut at commit. [EXPIRE-2]

    Raises:
        InvalidTraceError: it is not.
    """
    if engine._lock.locked():
        return
    verdict = engine._core.authorization()
    live, gone = engine.live, engine._gone is not None
    expected = verdict.attempt if isinstance(verdict, Granted) and not gone else None
    if (None if live is None else live.attempt) != expected:
        raise InvalidTraceError(
            f"the header is that of {live and live.attempt}, and should be that of {expected}"
        )


def _named(event: Event | None) -> str:
    return "the time" if event is None else event_name(event)


def _plain(what: object) -> str:
    return str(what).replace("splus_session.", "")
