"""Hypothesis strategies for sessions: values of every kind, and moves aimed at a session as it is.

Random values would almost never meet: an answer has to carry the number of an attempt that is in
flight, a ban has to name the right user, and the time of interest is the second in which something
falls due. So besides plain values (`credentials`, `grants`, `failures`, …) there are aimed ones:
`events_for` and `times_for` look at a snapshot and prefer what fits it, what nearly fits it, and
what is a moment too early or too late.

`snapshots` draws sessions that no history led to: all that the invariant allows, as an inductive
test needs them.

All times are UTC seconds in quarters, around `EPOCH`, so that sums of them are exact.

Example:
    >>> from hypothesis import given
    >>> from splus_session import Logout, step
    >>> from splus_session.testing.strategies import Move, moves
    >>> @given(moves())
    ... def test_logout_is_never_refused(move: Move) -> None:
    ...     assert step(move.snapshot, Logout(), move.now).dropped is None
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from splus_session._errors import MissingExtraError

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError:
    raise MissingExtraError("testing") from None

from splus_session import (
    Config,
    Credential,
    Event,
    Failure,
    FailureKind,
    Grant,
    Record,
    ServerClock,
    SessionKind,
    SessionState,
    Snapshot,
)
from splus_session.testing import _aim, _dice
from splus_session.testing._dice import BUSY_STATES, EPOCH, Dice

__all__ = [
    "EPOCH",
    "Move",
    "clocks",
    "configs",
    "credentials",
    "events",
    "events_for",
    "failures",
    "grants",
    "moments",
    "moves",
    "records",
    "situations",
    "snapshots",
    "times_for",
    "user_ids",
]

_T = TypeVar("_T")


class Move(NamedTuple):
    """A session, and what may happen to it next."""

    snapshot: Snapshot
    event: Event
    now: float
    """When (UTC seconds); perhaps before the snapshot's own time."""


# ── Plain values ────────────────────────────────────────────────────────────────────────────────


def user_ids() -> SearchStrategy[str]:
    """One of a few users, so that the same one comes twice and another one too."""
    return st.sampled_from(_dice.USERS)


def moments() -> SearchStrategy[float]:
    """Times within some weeks of `EPOCH`, in UTC seconds, all of them quarters."""
    return _rolled(Dice.moment, 4)


def credentials(now: float = EPOCH, user_id: str | None = None) -> SearchStrategy[Credential]:
    """Credentials as they may be held at `now` (UTC seconds): fresh, old, dead, or immortal.

    Args:
        now: the platform's time.
        user_id: whose they are; any user's if None.
    """
    return _rolled(lambda dice: _dice.draw_credential(dice, now, user_id), 8)


def grants(now: float = EPOCH, user_id: str | None = None) -> SearchStrategy[Grant]:
    """Anything that a login may present at `now` (UTC seconds), for this user or any."""

    def draw(dice: Dice) -> Grant:
        user = dice.pick(_dice.USERS) if user_id is None else user_id
        credential = _dice.draw_credential(dice, now, user)
        return _dice.draw_grant(dice, dice.pick(tuple(SessionKind)), user, credential)

    return _rolled(draw, 16)


def records(now: float = EPOCH) -> SearchStrategy[Record]:
    """Stored sessions, as they may be found at `now` (UTC seconds)."""
    return _rolled(lambda dice: _dice.draw_record(dice, now), 16)


def failures(kinds: Iterable[FailureKind] = tuple(FailureKind)) -> SearchStrategy[Failure]:
    """Failures of these kinds, some with a `Retry-After`, plausible or not."""
    wanted = tuple(kinds)
    return _rolled(lambda dice: _dice.draw_failure(dice, wanted), 4)


def clocks(now: float = EPOCH, offset: float = 0.0) -> SearchStrategy[ServerClock]:
    """What an answer that arrives at `now` tells of a clock that is `offset` seconds ahead, or of another."""
    return _rolled(lambda dice: _dice.draw_clock(dice, now, offset), 4)


def configs() -> SearchStrategy[Config]:
    """The default figures, or others within their ranges."""
    return _rolled(_dice.draw_config, 16)


def events() -> SearchStrategy[Event]:
    """Any event at all, those that time brings included."""

    def draw(dice: Dice) -> Event:
        snapshot = _dice.draw_snapshot(dice, tuple(SessionState))
        return _aim.event_for(dice, snapshot, _aim.time_for(dice, snapshot), tuple(_aim.AIMED))

    return _rolled(draw, 96)


# ── Sessions, and what may happen to them ───────────────────────────────────────────────────────


def snapshots(states: Iterable[SessionState] = BUSY_STATES) -> SearchStrategy[Snapshot]:
    """Sessions in one of these states: any that the invariant allows, reachable or not.

    Numbers have gaps, as if anything had happened before; what is due may be long overdue; what
    is in flight is in flight together wherever that is possible at all.
    """
    wanted = tuple(states)
    return _rolled(lambda dice: _dice.draw_snapshot(dice, wanted), 64)


def times_for(snapshot: Snapshot) -> SearchStrategy[float]:
    """Times at which something may happen to this session (UTC seconds).

    Mostly the present one, or that of something due, a moment before or after it; sometimes a jump
    of days or decades, in either direction.
    """
    return _rolled(lambda dice: _aim.time_for(dice, snapshot), 8)


def events_for(
    snapshot: Snapshot, now: float, types: Iterable[type[Event]] | None = None
) -> SearchStrategy[Event]:
    """Events that mean something to this session at `now` (UTC seconds), or nearly so.

    Args:
        snapshot: the session they are aimed at.
        now: when they are to happen; new tokens are issued around it.
        types: the kinds of events; by default all that come from outside: what time brings is the
            core's own affair.
    """
    wanted = None if types is None else tuple(types)

    def draw(dice: Dice) -> Event:
        return _aim.event_for(dice, snapshot, now, wanted or _aim.types_for(dice, snapshot))

    return _rolled(draw, 32)


def moves(states: Iterable[SessionState] = BUSY_STATES) -> SearchStrategy[Move]:
    """Any session in one of these states, and any event at any time, aimed at it."""
    return situations(states, 1).map(lambda moves: moves[0])


def situations(
    states: Iterable[SessionState] = BUSY_STATES, count: int = 6
) -> SearchStrategy[tuple[Move, ...]]:
    """Any session in one of these states, and `count` things that may happen to it.

    Each may happen instead of the others, not after them.
    """
    wanted = tuple(states)

    def draw(dice: Dice) -> tuple[Move, ...]:
        snapshot = _dice.draw_snapshot(dice, wanted)
        return tuple(_move(dice, snapshot) for _ in range(count))

    return _rolled(draw, 64 + 32 * count)


def _move(dice: Dice, snapshot: Snapshot) -> Move:
    now = _aim.time_for(dice, snapshot)
    return Move(snapshot, _aim.event_for(dice, snapshot, now, _aim.types_for(dice, snapshot)), now)


@st.composite
def _rolled(draw: DrawFn, make: Callable[[Dice], _T], size: int) -> _T:
    """What `make` makes of so many bytes of dice. (A `map` would show the bytes in a failure's report.)"""
    return make(Dice(draw(st.binary(min_size=size, max_size=size))))
