"""The core against python-statemachine's own engine on the same chart, and against a table by hand.

Time is the thread's CPU time, all contestants run in every round, and what counts are ratios: machines
differ, and are busy. The engine and the hand-written table get the same events and do the same
transitions, with guards that answer a constant and reactions that do nothing; the core does all its work.
"""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from report import Row

from splus_session import (
    LIFECYCLE,
    AccessToken,
    AuthToken,
    AuthTokenGrant,
    Config,
    Credential,
    Event,
    Fact,
    Failure,
    FailureKind,
    Login,
    LoginFailed,
    Logout,
    RenewalAnswered,
    RenewalFailed,
    SessionCore,
    SessionOpened,
    SessionState,
    TokenConfirmed,
    TokenRejected,
    TokenRenewed,
    TokenRevoked,
    UserBanned,
    step,
)
from splus_session._chart import SessionChart
from splus_session._events import HandlersChanged, RenewalDue, TokenExpired, event_name
from splus_session._row import Row as Transition

CYCLES = 100
ROUNDS = 15
SESSIONS = 10_000
START = 1_700_000_000.0

_AUTH_TOKEN = AuthToken("the backend's word")
_CONFIG = Config()


def _credential(user: str = "user-1", token: str = "x" * 400) -> Credential:
    return Credential(AccessToken(token), user, START, START + 86_400)


# A whole life, with every ordinary thing in it: in; rejected and confirmed; renewed ahead of time;
# expired, refused, and renewed; banned; out.
_GRANT = AuthTokenGrant("user-1", _AUTH_TOKEN)
LIFE: Sequence[Event] = (
    Login("user-1", _AUTH_TOKEN),
    SessionOpened(_credential(), 1),
    TokenRejected(1),
    TokenConfirmed(2),
    RenewalDue(),
    RenewalAnswered(3, _GRANT),
    TokenRenewed(_credential(), 3),
    TokenExpired(),
    RenewalDue(),
    RenewalAnswered(4, _GRANT),
    RenewalFailed(4, Failure(FailureKind.REFUSED)),
    RenewalDue(),
    RenewalAnswered(5, _GRANT),
    TokenRenewed(_credential(), 5),
    UserBanned(),
    Logout(),
)
# What an established session need not hear: two stale answers and two that fit no row at all.
NEWS: Sequence[Fact] = (
    TokenRejected(0),
    TokenRevoked(7),
    LoginFailed(1, Failure(FailureKind.REFUSED)),
    UserBanned(attempt=0),
)

_FALSE = {"has_grant_to_resend", "is_busy", "is_retryable"}
_FALSE_IN_NEWS = {"is_current_credential", "is_current_revocation", "concerns_this_session"}


# ── The contestants ─────────────────────────────────────────────────────────────────────────────


class Contestant(Protocol):
    """Goes through the events once, and writes down the state after each if it is asked to."""

    def __call__(self, heard: list[SessionState] | None = None) -> None:
        """Go."""
        ...


def _core(events: Sequence[Event], before: Sequence[Event] = ()) -> Contestant:
    core = SessionCore(_CONFIG)
    core.receive(HandlersChanged(session_handler=True, access_token_handler=True), START)
    for event in before:
        core.receive(event, START)
    start, told = core.snapshot, [(event, START + number) for number, event in enumerate(events)]

    def run(heard: list[SessionState] | None = None) -> None:
        snapshot = start
        for event, now in told:
            snapshot = step(snapshot, event, now).after
            if heard is not None:
                heard.append(snapshot.state)

    return run


def _guard(value: bool) -> Callable[..., bool]:
    return lambda *_: value


def _nothing(*_: object) -> None:
    pass


def _meanings(false: set[str]) -> dict[str, Callable[..., Any]]:
    guards = {guard.name for row in LIFECYCLE for guard in row.guards}
    actions = {name for row in LIFECYCLE for name in (*row.reactions, *(f"run_{hook}" for hook in row.hooks))}
    return {name: _guard(name not in false) for name in guards} | dict.fromkeys(actions, _nothing)


def _engine(events: Sequence[Event], state: SessionState, false: set[str]) -> Contestant:
    model = type("Model", (), {name: _method(meaning) for name, meaning in _meanings(false).items()})()
    chart = SessionChart(model)
    sent = [(event_name(event), event, START + number) for number, event in enumerate(events)]

    def run(heard: list[SessionState] | None = None) -> None:
        chart.current_state_value = state
        for name, event, now in sent:
            chart.send(name, fact=event, now=now)
            if heard is not None:
                heard.append(chart.current_state_value)

    return run


def _method(meaning: Callable[..., Any]) -> Callable[[object, object, float], Any]:
    def method(self: object, fact: object, now: float) -> Any:
        return meaning(self, fact, now)

    return method


class _Hand:
    """What one would write by hand: a dict from (state, event) to rows of functions."""

    __slots__ = ("_table", "state")

    def __init__(self, table: dict[tuple[SessionState, str], list[Any]], state: SessionState) -> None:
        self._table = table
        self.state = state

    def send(self, event: str) -> bool:
        for guards, target, actions in self._table.get((self.state, event), ()):
            if all(guard(self, event) is expected for guard, expected in guards):
                self.state = target
                for action in actions:
                    action(self, event)
                return True
        return False


def _hand(events: Sequence[Event], state: SessionState, false: set[str]) -> Contestant:
    meanings = _meanings(false)
    table: dict[tuple[SessionState, str], list[Any]] = {}
    for row in LIFECYCLE:
        table.setdefault((row.source, row.event), []).append(_by_hand(row, meanings))
    hand, names = _Hand(table, state), [event_name(event) for event in events]

    def run(heard: list[SessionState] | None = None) -> None:
        hand.state = state
        for name in names:
            hand.send(name)
            if heard is not None:
                heard.append(hand.state)

    return run


def _by_hand(row: Transition, meanings: dict[str, Callable[..., Any]]) -> tuple[Any, ...]:
    guards = [(meanings[guard.name], guard.expected) for guard in row.guards]
    return guards, row.target, [meanings[name] for name in (*row.reactions, *(f"run_{h}" for h in row.hooks))]


# ── Time ────────────────────────────────────────────────────────────────────────────────────────


class _Times(NamedTuple):
    """Nanoseconds an event, one figure a round."""

    core: list[float]
    engine: list[float]
    hand: list[float]


def _time(run: Contestant, cycles: int, events: int) -> float:
    start = time.thread_time_ns()
    for _ in range(cycles):
        run()
    return (time.thread_time_ns() - start) / (cycles * events)


def _times(core: Contestant, engine: Contestant, hand: Contestant, events: int) -> _Times:
    # The engine is so much slower that it gets fewer cycles; a figure is per event anyway.
    contestants = ((core, CYCLES), (engine, CYCLES // 10), (hand, CYCLES))
    lives: list[list[SessionState]] = [[], [], []]
    for (run, _), heard in zip(contestants, lives, strict=True):
        run(heard)
    if not lives[0] == lives[1] == lives[2]:
        raise AssertionError(f"the contestants do not do the same: {lives}")
    gc.disable()
    try:
        rounds = [[_time(run, cycles, events) for run, cycles in contestants] for _ in range(ROUNDS)]
    finally:
        gc.enable()
    return _Times(*(list(figures) for figures in zip(*rounds, strict=True)))


def _rows(what: str, times: _Times, bar: int) -> list[Row]:
    faster = statistics.median(e / c for e, c in zip(times.engine, times.core, strict=True))
    slower = statistics.median(c / h for c, h in zip(times.core, times.hand, strict=True))
    core, engine, hand = (statistics.median(figures) for figures in times)
    return [
        Row(
            f"{what}, against python-statemachine's send",
            f"{faster:.0f} × faster  ({core / 1000:.2f} µs against {engine / 1000:.0f} µs)",
            f"≥ {bar} ×",
            faster >= bar,
        ),
        Row(
            f"{what}, against a table by hand that only moves",
            f"{slower:.1f} × slower  ({core:.0f} ns against {hand:.0f} ns)",
        ),
    ]


def steps() -> list[Row]:
    """One event through `step`: taken, and dropped."""
    nobody, established = SessionState.NOT_LOGGED_IN, SessionState.ESTABLISHED
    taken = _times(_core(LIFE), _engine(LIFE, nobody, _FALSE), _hand(LIFE, nobody, _FALSE), len(LIFE))
    news = (NEWS, established, _FALSE_IN_NEWS)
    dropped = _times(_core(NEWS, LIFE[:2]), _engine(*news), _hand(*news), len(NEWS))
    return [*_rows("one event", taken, 50), *_rows("a dropped fact", dropped, 100)]


# ── Memory ──────────────────────────────────────────────────────────────────────────────────────


def memory() -> list[Row]:
    """One idle established session; its configuration and the token's text are shared, and not counted."""
    text = "x" * 400

    def session(number: int) -> SessionCore:
        core, user = SessionCore(_CONFIG, seed=number * 0x9E3779B97F4A7C15), f"user-{number:08}"
        core.receive(Login(user, _AUTH_TOKEN), START)
        core.receive(SessionOpened(_credential(user, text), 1), START)
        return core

    sessions: list[SessionCore | None] = [None] * SESSIONS
    session(0)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(SESSIONS):
            sessions[number] = session(number)
        gc.collect()
        size = (tracemalloc.get_traced_memory()[0] - before) / SESSIONS
    finally:
        tracemalloc.stop()
    return [Row("one idle established session in the core", f"{size:.0f} B", "≤ 600 B", size <= 600)]
