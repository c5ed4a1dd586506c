"""The core: a pure function of a snapshot, an event and the time.

Two rules. Everything that changes a session's memory happens here, by a row of the table.
Nothing here knows any I/O: no clock, no socket, no lock, no callback. What is to be done comes
out as commands; time comes in as `now`, and leaves as the deadline when something will be due.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

from splus_session import _rules
from splus_session._commands import (
    Announce,
    Change,
    Command,
    HookCall,
    Persist,
    RunHook,
)
from splus_session._config import Config
from splus_session._credentials import MAX_TIME, Credential
from splus_session._errors import ChartError, InvalidArgumentError
from splus_session._events import (
    EVENTS,
    REQUESTS,
    AnswerOverdue,
    Event,
    RenewalDue,
    RevocationDue,
    TimeFact,
    TokenExpired,
    event_name,
)
from splus_session._failures import Failure, FailureKind
from splus_session._lifecycle import ROWS
from splus_session._row import Row
from splus_session._snapshot import Renewal, Retry, Revocation, Snapshot, Step
from splus_session._states import ChangeReason, Reason, SessionState, TerminationReason
from splus_session._value import value

LIFECYCLE: tuple[Row, ...] = ROWS
"""The life cycle: every transition there is, compiled from `SessionChart`."""

HOOKS: frozenset[str] = frozenset(hook for row in LIFECYCLE for hook in row.hooks)
"""The side-effect hooks that the chart names. [HOOK-1]"""

NOT_ALLOWED = "not_allowed"
"""Why a step is dropped for which the table has no row at all."""

_REASONS: dict[str, Reason] = {
    "login": ChangeReason.LOGIN,
    "login_with_access_token": ChangeReason.LOGIN,
    "login_as_visitor": ChangeReason.LOGIN,
    "login_as_bot": ChangeReason.LOGIN,
    "session_opened": ChangeReason.LOGGED_IN,
    "login_failed": ChangeReason.LOGIN_FAILED,
    "login_cancelled": ChangeReason.LOGIN_CANCELLED,
    "resume": ChangeReason.RESUMED,
    "token_renewed": ChangeReason.TOKEN_RENEWED,
    "token_expired": ChangeReason.TOKEN_EXPIRED,
    "token_refuted": ChangeReason.TOKEN_REJECTED,
    "user_banned": TerminationReason.GLOBAL_BAN,
    "user_deleted": TerminationReason.USER_DELETED,
    "logout": ChangeReason.LOGOUT,
    "secure_logout": ChangeReason.LOGOUT,  # only where there is nothing to revoke
    "token_revoked": ChangeReason.SECURE_LOGOUT,
}
_EXCEPTIONS: dict[tuple[str, SessionState], Reason] = {
    ("session_opened", SessionState.NOT_LOGGED_IN): ChangeReason.LOGIN_FAILED,
    ("token_refuted", SessionState.NOT_LOGGED_IN): ChangeReason.SECURE_LOGOUT,
}


def reason_of(row: Row) -> Reason:
    """Why a session is in its state after this row. For a row that moves it, or has a hook."""
    return _EXCEPTIONS.get((row.event, row.target)) or _REASONS[row.event]


# ── Authorisation, as a value ───────────────────────────────────────────────────────────────────


@value
class Granted:
    """There is a live credential."""

    credential: Credential
    attempt: int
    """Numbers the credential; a rejection names it. [EXPIRE-3]"""
    until: float
    """When it stops being live (UTC seconds, by our clock); infinite if never by the clock."""


@value
class Waiting:
    """There will be an answer when this attempt ends."""

    attempt: int


@value
class Denied:
    """There is none, and waiting would not help."""

    state: SessionState
    failure: Failure | None = None
    retry_at: float | None = None
    """When the session tries to renew again (UTC seconds), if it will."""
    reason: TerminationReason | None = None


# ── The table, bound to what its names mean ─────────────────────────────────────────────────────

_Guard = Callable[[Snapshot, Any], bool]
_Reaction = Callable[[Snapshot, Any, list[Command]], None]


class _Bound(NamedTuple):
    """A row with functions in place of names."""

    row: Row
    guards: tuple[tuple[_Guard, bool, str], ...]
    """The function, what it must say, and the guard in words."""
    reactions: tuple[_Reaction, ...]
    target: SessionState
    changes: bool
    reason: Reason | None
    tells_time: bool
    """Whether the event may tell of the platform's clock."""


def _bind(
    rows: Iterable[Row], meaning: Callable[[str], Callable[..., Any]]
) -> dict[type[Event], dict[SessionState, tuple[_Bound, ...]]]:
    events = {event_name(event): event for event in EVENTS}
    table: dict[type[Event], dict[SessionState, tuple[_Bound, ...]]] = {e: {} for e in EVENTS}
    for row in rows:
        if row.event not in events:
            raise ChartError(f"the chart has an event {row.event}, but there is no such class")
        event = events[row.event]
        changes = row.target is not row.source
        bound = _Bound(
            row,
            tuple((meaning(guard.name), guard.expected, str(guard)) for guard in row.guards),
            tuple(meaning(name) for name in row.reactions),
            row.target,
            changes,
            reason_of(row) if changes or row.hooks else None,
            "clock" in event.__annotations__,
        )
        table[event][row.source] = (*table[event].get(row.source, ()), bound)
    return table


def _meaning(name: str) -> Callable[..., Any]:
    found = getattr(_rules, name, None)
    if found is None or name.startswith("_"):
        raise ChartError(f"the chart names {name}, which _rules.py does not define")
    return cast("Callable[..., Any]", found)


_TABLE = _bind(LIFECYCLE, _meaning)


# ── Time ────────────────────────────────────────────────────────────────────────────────────────


def at_time(snapshot: Snapshot, now: float) -> Snapshot:
    """The same snapshot at another time. [EXPIRE-4]

    When the clock steps back, what counts from our clock (pauses, deadlines) steps back with it;
    a token's expiry is absolute and stays.

    Raises:
        InvalidArgumentError: `now` is no number, or beyond the year 9999: so far out, a clock's
            numbers are too coarse for a pause to end.
    """
    if not -MAX_TIME <= now <= MAX_TIME:  # also true for NaN
        raise InvalidArgumentError(f"the time must be in UTC seconds, up to the year 9999, got {now!r}")
    if now == snapshot.now:
        return snapshot
    moved = _rules.draft_of(snapshot)
    back = now - snapshot.now
    moved.now = now  # type: ignore[misc]
    if back < 0:
        _step_back(moved, back)
    return moved


def _step_back(moved: Snapshot, back: float) -> None:
    renewal, retry, revocation = moved.renewal, moved.retry, moved.revocation
    if renewal is not None:
        deadline = None if renewal.deadline is None else renewal.deadline + back
        moved.renewal = Renewal(  # type: ignore[misc]
            renewal.attempt, renewal.failures, deadline, renewal.grant, renewal.obtained_at + back
        )
    if retry is not None:
        moved.retry = Retry(  # type: ignore[misc]
            retry.at + back, retry.failures, retry.failure, retry.grant, retry.obtained_at + back
        )
    if revocation is not None:
        moved.revocation = Revocation(  # type: ignore[misc]
            revocation.attempt, revocation.deadline + back, revocation.sent, revocation.check
        )


def upcoming(snapshot: Snapshot) -> tuple[float, TimeFact] | None:
    """What time will bring next, and when (UTC seconds, by our clock); None if nothing.

    It follows from the snapshot alone, so no timer can be forgotten, left over or doubled.
    """
    state = snapshot.state
    if state is not SessionState.ESTABLISHED and state is not SessionState.TOKEN_EXPIRED:
        return None
    due: float = math.inf
    fact: TimeFact = _TOKEN_EXPIRED
    if state is SessionState.ESTABLISHED and snapshot.credential is not None:
        due = _rules.expiry(snapshot.config, snapshot.credential) - snapshot.offset
    renewal, revocation = snapshot.renewal, snapshot.revocation
    if renewal is None:
        if revocation is None and _rules.can_renew(snapshot, snapshot.kind):
            at = _renewal_time(snapshot)
            if at < due:
                due, fact = at, _RENEWAL_DUE
    elif renewal.deadline is not None and renewal.deadline < due:
        due, fact = renewal.deadline, _ANSWER_OVERDUE
    if revocation is not None and not revocation.sent:
        at = snapshot.now if renewal is None else revocation.deadline
        if at < due:
            due, fact = at, _REVOCATION_DUE
    return None if due == math.inf else (due, fact)


def _renewal_time(snapshot: Snapshot) -> float:
    if snapshot.retry is not None:
        return snapshot.retry.at
    if snapshot.state is SessionState.TOKEN_EXPIRED:
        return snapshot.now
    return math.inf if snapshot.renew_at is None else snapshot.renew_at - snapshot.offset


_TOKEN_EXPIRED, _RENEWAL_DUE = TokenExpired(), RenewalDue()
_ANSWER_OVERDUE, _REVOCATION_DUE = AnswerOverdue(), RevocationDue()


# ── One step ────────────────────────────────────────────────────────────────────────────────────


def step(snapshot: Snapshot, event: Event, now: float) -> Step:
    """Apply one event, and nothing that may be due besides. Pure.

    Args:
        snapshot: the session until now.
        event: a request or a fact.
        now: UTC seconds, in either direction from the last time.

    Returns:
        The step. A request that is refused and a fact that does not apply both come back with
        `dropped` set, `after` equal to `before`, and no commands.

    Raises:
        InvalidArgumentError: `now` is no number, or beyond the year 9999.
    """
    before = at_time(snapshot, now)
    against = NOT_ALLOWED
    for bound in _TABLE[type(event)].get(before.state, ()):
        for guard, expected, words in bound.guards:
            if guard(before, event) is not expected:
                against = words
                break
        else:
            return _take(bound, before, event)
    return Step(before, event, before, (), against)


def _take(bound: _Bound, before: Snapshot, event: Any) -> Step:
    row, _, reactions, target, changes, reason, tells_time = bound
    after = _rules.draft_of(before)
    if tells_time and event.clock is not None:
        after.offset = _rules.learned(before.offset, event.clock, before.now)  # type: ignore[misc]
    after.state = target  # type: ignore[misc]
    out: list[Command] = []
    for reaction in reactions:
        reaction(after, event, out)
    if reason is not None:
        _tell(row, changes, reason, before, after, out)
    return Step(before, event, after, tuple(out), None, row)


def _tell(
    row: Row, changes: bool, reason: Reason, before: Snapshot, after: Snapshot, out: list[Command]
) -> None:
    """Put the announcement and the hooks behind what is to be stored, and before the rest. [RESUME-2]"""
    state, now = after.state, after.now
    place = 1 if out and type(out[0]) is Persist else 0
    if changes:
        out.insert(place, Announce(Change(state, before.state, reason, now)))
        place += 1
    for hook in row.hooks:
        call = HookCall(hook, state, reason, after.user_id or before.user_id, now)
        out.insert(place, RunHook(call))
        place += 1


# ── What a caller may do now ────────────────────────────────────────────────────────────────────


def authorize(snapshot: Snapshot) -> Granted | Waiting | Denied:
    """What a caller who needs a header gets, once everything that is due has been applied. [EXPIRE-5]"""
    state = snapshot.state
    if state is SessionState.ESTABLISHED and snapshot.credential is not None:
        until = _rules.expiry(snapshot.config, snapshot.credential) - snapshot.offset
        return Granted(snapshot.credential, snapshot.credential_attempt, until)
    if state is SessionState.ESTABLISHING:
        return Waiting(snapshot.session)
    if snapshot.renewal is not None:
        return Waiting(snapshot.renewal.attempt)
    if snapshot.revocation is not None:
        return Waiting(snapshot.revocation.attempt)
    if state is SessionState.TOKEN_EXPIRED:
        if not _rules.can_renew(snapshot, snapshot.kind):
            return Denied(state, Failure(FailureKind.NO_HANDLER))
        if snapshot.retry is not None:
            return Denied(state, snapshot.retry.failure, snapshot.retry.at)
    return Denied(state, reason=snapshot.ended)


def allowed_in(state: SessionState) -> frozenset[str]:
    """The requests for which the table has a row in this state."""
    return frozenset(
        name for name in _REQUEST_NAMES if any(r.source is state and r.event == name for r in LIFECYCLE)
    )


_REQUEST_NAMES = frozenset(event_name(request) for request in REQUESTS)


class SessionCore:
    """One session without any I/O: feed it events and the time, do what its steps command.

    Example:
        >>> from splus_session import AuthToken, Config, Login, SessionCore
        >>> core = SessionCore(Config())
        >>> [step] = core.receive(Login("user-123", AuthToken("a word from your backend")), now=0)
        >>> step.commands[0].change.state
        <SessionState.ESTABLISHING: 'establishing'>
    """

    __slots__ = ("snapshot",)

    def __init__(self, config: Config | None = None, *, seed: int = 0) -> None:
        """Make a session that is not logged in.

        Args:
            config: the figures; shared by any number of sessions.
            seed: where the jitter's generator starts; give every session another one.
        """
        self.snapshot = Snapshot(Config() if config is None else config, seed % 2**64)

    @classmethod
    def of(cls, snapshot: Snapshot) -> "SessionCore":
        """A core that goes on from a snapshot."""
        core = cls.__new__(cls)
        core.snapshot = snapshot
        return core

    @property
    def state(self) -> SessionState:
        """Where the session is."""
        return self.snapshot.state

    @property
    def deadline(self) -> float | None:
        """When to call `advance` next, in UTC seconds; None if nothing will be due."""
        due = upcoming(self.snapshot)
        return None if due is None else due[0]

    def receive(self, event: Event, now: float) -> list[Step]:
        """Apply whatever is due at `now`, then the event, then what became due by it. [EXPIRE-4]

        What time brings, nobody else can bring: such a fact applies what is due, and nothing besides.

        Returns:
            The steps, in order; that of the event is among them, dropped or not, unless it is a
            fact of time.

        Raises:
            InvalidArgumentError: `now` is no number, or beyond the year 9999. Nothing changed.
        """
        steps = self.advance(now)
        if isinstance(event, TimeFact):
            return steps
        taken = step(self.snapshot, event, now)
        self.snapshot = taken.after
        steps.append(taken)
        if taken.row is not None:
            steps += self.advance(now)
        return steps

    def advance(self, now: float) -> list[Step]:
        """Apply whatever is due at `now`, the earliest first.

        Raises:
            InvalidArgumentError: `now` is no number, or beyond the year 9999. Nothing changed.
        """
        snapshot = at_time(self.snapshot, now)
        steps: list[Step] = []
        while (due := upcoming(snapshot)) is not None and due[0] <= now:
            taken = step(snapshot, due[1], now)
            snapshot = taken.after
            steps.append(taken)
        self.snapshot = snapshot
        return steps

    def authorization(self) -> Granted | Waiting | Denied:
        """What a caller who needs a header gets now. Call `advance` first. [EXPIRE-5]"""
        return authorize(self.snapshot)
