"""What both drivers share: one core, one lock, and what is to be done, in order.

The lock is held for the core's computation alone, never while anybody else's code runs; only the
clock is read under it, so that no thread brings an older time after a newer one. Under it the
outcome of a step takes effect at once for authorisation [EXPIRE-2] and for those who wait for an
attempt, and the step's commands go to the outbox, from which the driver's one drainer takes them in
order. [RESUME-2]
"""

import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from splus_session._commands import Command, OpenSession, ReleaseWaiters
from splus_session._config import Config
from splus_session._core import Denied, Granted, SessionCore, Waiting, at_time
from splus_session._errors import (
    ForkedSessionError,
    NotAuthorizedError,
    NotLoggedInError,
    RenewalFailedError,
    SessionClosed,
    StoreError,
)
from splus_session._events import Event, RenewalAnswered, RenewalUnable, TokenRejected, event_name
from splus_session._explain import denied, describe
from splus_session._failures import Failure, FailureKind
from splus_session._recorder import Recorder
from splus_session._snapshot import Snapshot, Step
from splus_session._states import SessionState
from splus_session.ports import Authorization, Clock, SessionHandler

logger = logging.getLogger("splus_session")


class Signal(Protocol):
    """Wakes everybody who waits on it, whichever loop or thread they wait in."""

    def fire(self) -> None:
        """Wake them. From any thread; never blocks."""
        ...


FORKED = "the session was made before a fork; open one in this process"

SignalT = TypeVar("SignalT", bound=Signal)


class Flight(Generic[SignalT]):
    """An attempt that callers wait for, and share the outcome of. [RENEW-3]

    It is `released` at the commit of the step that ended it, for those who only need a header, and
    `settled` once that step's commands have been carried out, for those who asked for it.
    """

    __slots__ = ("brings_token", "closed", "error", "failure", "released", "session", "settled", "signal")

    def __init__(self, signal: SignalT, session: int = 0) -> None:
        self.signal = signal
        self.session = session
        """Numbers the stay that it belongs to."""
        self.brings_token = True
        """Whether it is a login or a renewal, as far as who needs a header waits for it."""
        self.released = False
        self.settled = False
        self.closed = False
        """Whether the session object was closed before it ended."""
        self.failure: Failure | None = None
        self.error: StoreError | None = None
        """What the store said, if it could not do its part."""

    def release(self, failure: Failure | None) -> None:
        """The attempt ended. Whoever waits is woken by `signal`, after that."""
        self.failure = failure
        self.released = True

    def settle(self, error: StoreError | None = None, *, closed: bool = False) -> None:
        """All that follows from the attempt's end is done, as far as it could be."""
        self.error = error
        self.closed = closed
        self.released = self.settled = True
        self.signal.fire()


class Entry(NamedTuple, Generic[SignalT]):
    """What one step commands, and who waits for all of it to be done."""

    commands: tuple[Command, ...]
    waiter: Flight[SignalT] | None


class Engine(Generic[SignalT]):
    """A core behind a lock, with an outbox. Knows neither loops nor threads: the driver does."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        *,
        seed: int,
        signal: Callable[[], SignalT],
        kick: Callable[[], None],
        forked: Callable[[], None] = lambda: None,
        recorder: Recorder | None = None,
    ) -> None:
        """Make an engine.

        Args:
            config: the figures.
            clock: the time.
            seed: where the jitter's generator starts.
            signal: makes what callers wait on.
            kick: called when there is something in the outbox or the deadline moved; from any
                thread, never under the lock.
            forked: called in a forked child.
            recorder: notes every step.
        """
        self.config = config
        self.clock = clock
        self.live: Authorization | None = None
        """What authorises a request now. Read without a lock; replaced at every commit."""
        self.own_handler: SessionHandler | None = None
        """The handler that this session brought, if it did; gone with the session. [LOGOUT-2]"""
        self._core = SessionCore(config, seed=seed)
        self._lock = threading.Lock()
        self._signal = signal
        self._kick = kick
        self._forked = forked
        self._recorder = recorder
        self._outbox: deque[Entry[SignalT]] = deque()
        self._flights: dict[int, Flight[SignalT]] = {}
        self._gone: type[SessionClosed | ForkedSessionError] | None = None
        _ENGINES.add(self)

    # ── Events in ───────────────────────────────────────────────────────────────────────────────

    def post(
        self,
        event: Event,
        *,
        own_handler: SessionHandler | None = None,
        waiter: Flight[SignalT] | None = None,
        watch: Callable[[Step, Snapshot], int | None] | None = None,
        whenever: bool = False,
    ) -> tuple[Step, Flight[SignalT] | None]:
        """Give the core an event, with whatever is due first.

        Args:
            event: a request or a fact. Dropped facts are logged; a dropped request is the
                caller's to raise.
            own_handler: the handler that a login brings for its session alone. [HANDLER-1]
            waiter: settles once all that the event's step commands has been done.
            watch: picks, from the step and the outcome, an attempt to wait for.
            whenever: take it as of the last known time if the clock fails just now: nobody will
                come with it again, and somebody may wait for it. [EXPIRE-4]

        Returns:
            The event's step, and the flight of the attempt that `watch` picked.

        Raises:
            SessionClosed, ForkedSessionError: the session object is of no use any more.
        """
        with self._lock:
            self.raise_if_gone()
            now = self._time_or_the_last() if whenever else self.clock.now()
            steps = self._core.receive(event, now)
            [taken] = [step for step in steps if step.event is event]
            if own_handler is not None and taken.dropped is None:
                self.own_handler = own_handler
            number = None if watch is None else watch(taken, self._core.snapshot)
            watched = None if number is None else self._flight(number)
            released = self._commit(steps, taken, waiter)
        self._finish(steps, released)
        return taken, watched

    def _time_or_the_last(self) -> float:
        last = self._core.snapshot
        try:
            return at_time(last, self.clock.now()).now
        except Exception:  # the next look at the time will tell of it
            return last.now

    def tick(self) -> float | None:
        """Apply whatever is due.

        Returns:
            Seconds until something will be due; None if nothing will. The session may be gone.
        """
        with self._lock:
            if self._gone is not None:
                return None
            now = self.clock.now()
            steps = self._core.advance(now)
            released = self._commit(steps)
            deadline = self._core.deadline
        self._finish(steps, released)
        return None if deadline is None else max(0.0, deadline - now)

    def _commit(
        self,
        steps: list[Step],
        taken: Step | None = None,
        waiter: Flight[SignalT] | None = None,
    ) -> list[Flight[SignalT]]:
        """Make an outcome effective. Gives the flights that ended by it, to be woken."""
        released: list[Flight[SignalT]] = []
        for step in steps:
            mine = waiter if step is taken else None
            if step.commands or mine is not None:
                self._outbox.append(Entry(step.commands, mine))
            for command in step.commands:
                if isinstance(command, OpenSession):
                    self._flight(command.attempt)
                elif isinstance(command, ReleaseWaiters) and command.attempt in self._flights:
                    flight = self._flights[command.attempt]
                    flight.release(command.failure)  # here, for the drainer may settle it at once
                    released.append(flight)
        self._set_live()
        if self._recorder is not None:
            self._recorder.note(steps)
        return released

    def _set_live(self) -> None:
        if not self._core.snapshot.own_handler:
            self.own_handler = None
        verdict = self._core.authorization()
        if not isinstance(verdict, Granted):
            self.live = None
        elif self.live is None or self.live.attempt != verdict.attempt or self.live.until != verdict.until:
            self.live = Authorization(
                f"Bearer {verdict.credential.access_token.reveal()}",
                verdict.attempt,
                verdict.until,
                self._core.snapshot.session,
            )

    def _finish(self, steps: list[Step], released: list[Flight[SignalT]]) -> None:
        """What follows a commit outside the lock."""
        for flight in released:
            flight.signal.fire()
        for step in steps:
            if step.dropped is not None:
                _log_dropped(step)
        if steps:
            self._kick()

    # ── Authorisation ───────────────────────────────────────────────────────────────────────────

    def authorize(self, after: Flight[SignalT] | None = None) -> Authorization | Flight[SignalT]:
        """What authorises a request now, or the flight that has to end first. [EXPIRE-5]

        Args:
            after: the flight that the caller waited for. If it was to bring a token and failed, the
                caller shares that failure rather than wait for another attempt. [RENEW-3] If its
                stay is over, there is nothing for the caller in the next one, which may be another
                user's. [EXPIRE-2]

        Raises:
            NotAuthorizedError, HandlerRequiredError: there is none, and waiting would not help.
            SessionClosed, ForkedSessionError: the session object is of no use any more.
        """
        with self._lock:
            self.raise_if_gone()
            now = self.clock.now()
            steps = self._core.advance(now)
            released = self._commit(steps)
            verdict = self._core.authorization()
            flight = None
            if isinstance(verdict, Waiting):
                flight = self._flight(verdict.attempt)
                revocation = self._core.snapshot.revocation
                flight.brings_token = revocation is None or revocation.attempt != verdict.attempt
            live, state = self.live, self._core.state
            is_over = after is not None and after.session != self._core.snapshot.session
        self._finish(steps, released)
        if is_over:
            raise NotLoggedInError("the session that this was asked of is over", state=state)
        if isinstance(verdict, Denied):
            raise denied(verdict)
        if flight is None:
            if live is None:
                raise NotAuthorizedError("no credential is held", state=state)
            return live
        is_shared = after is not None and after is not flight and after.brings_token
        failure = after.failure if after is not None and is_shared else None
        if failure is not None and failure.kind is not FailureKind.SUPERSEDED:
            raise RenewalFailedError(
                f"the access token is expired and its renewal failed: {describe(failure)}",
                state=state,
                failure=failure,
                retry_at=now,
            )
        return flight

    def report_rejected(self, attempt: int) -> Flight[SignalT] | None:
        """A credential was rejected. Gives the flight that will sort it out, if one will. [EXPIRE-3]"""

        def sorting_out(_: Step, snapshot: Snapshot) -> int | None:
            if snapshot.credential_attempt != attempt or snapshot.state is not SessionState.ESTABLISHED:
                return None
            if snapshot.verification is not None:
                return snapshot.verification
            if snapshot.renewal is not None:
                return snapshot.renewal.attempt
            return None if snapshot.revocation is None else snapshot.revocation.attempt

        return self.post(TokenRejected(attempt), watch=sorting_out)[1]

    # ── Commands out ────────────────────────────────────────────────────────────────────────────

    def flight(self) -> Flight[SignalT]:
        """A flight of no attempt, to wait with for all that one event's step commands."""
        return Flight(self._signal())

    def take(self) -> Entry[SignalT] | None:
        """The next thing to do, or None. For the one drainer."""
        with self._lock:
            return self._outbox.popleft() if self._outbox else None

    def settle(self, attempt: int, error: StoreError | None) -> None:
        """The step that ended this attempt has been carried out: tell who asked for it.

        Args:
            attempt: the attempt's number.
            error: what the store said, if it could not delete what the step had it delete.
        """
        with self._lock:
            flight = self._flights.pop(attempt, None)
        if flight is not None:
            flight.settle(error)

    # ── The end of the object ───────────────────────────────────────────────────────────────────

    def end(self) -> None:
        """The session object is closed: nobody gets a header or waits any longer. [CLIENT-3]

        What is in the outbox stays there, for the drainer to finish, or to `abandon`.
        """
        with self._lock:
            self._gone = self._gone or SessionClosed
            self.live = None
            flights = list(self._flights.values())
            self._flights.clear()
        for flight in flights:
            flight.settle(closed=True)

    def abandon(self) -> None:
        """The drainer is no more: whoever waits for what is in the outbox waits in vain. [CLIENT-3]"""
        self.end()
        while (entry := self.take()) is not None:
            if entry.waiter is not None:
                entry.waiter.settle(closed=True)

    def after_fork(self) -> None:
        """In a forked child: whatever held the lock is not here to let go of it. [CLIENT-3]"""
        self._lock = threading.Lock()
        self.live = None
        self._gone = ForkedSessionError
        self._flights.clear()
        self._outbox.clear()
        self._forked()

    def poke(self) -> None:
        """Wake all waiters, so that they look at the clock again."""
        with self._lock:
            flights = list(self._flights.values())
        for flight in flights:
            flight.signal.fire()
        self._kick()

    @property
    def snapshot(self) -> Snapshot:
        """The core's present snapshot."""
        return self._core.snapshot

    def server_now(self) -> float:
        """The platform's present time, as far as known (UTC seconds)."""
        return self.clock.now() + self.snapshot.offset

    @property
    def forked(self) -> bool:
        """Whether the session object came through a fork."""
        return self._gone is ForkedSessionError

    def _flight(self, attempt: int) -> Flight[SignalT]:
        flight = self._flights.get(attempt)
        if flight is None:
            flight = self._flights[attempt] = Flight(self._signal(), self._core.snapshot.session)
        return flight

    def raise_if_gone(self) -> None:
        """Raise if the session object is of no use any more.

        Raises:
            SessionClosed, ForkedSessionError: it is not.
        """
        if self._gone is SessionClosed:
            raise SessionClosed("the session was closed", state=self._core.state)
        if self._gone is ForkedSessionError:
            raise ForkedSessionError(FORKED)


def _log_dropped(step: Step) -> None:
    """Facts are dropped visibly; a handler's second or late answer is worth a warning. [RENEW-5]"""
    told = event_name(step.event), step.before.state.value, step.dropped
    if isinstance(step.event, RenewalAnswered | RenewalUnable):
        logger.warning(
            "an answer of the handler was dropped, for its renewal is over or was answered before "
            "(%s while %s: %s)",
            *told,
        )
    else:
        logger.debug("%s dropped while %s: %s", *told)


_ENGINES: "weakref.WeakSet[Engine[Any]]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for engine in list(_ENGINES):
        engine.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
