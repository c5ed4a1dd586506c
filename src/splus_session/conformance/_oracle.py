"""What one client should do: the library's own core, fed with what happened to the client.

Where the requirements leave something to chance, the oracle follows the client: a renewal may come earlier
by a jitter, a retry at any moment of its backoff, and the expiry somewhat early. Then the oracle's
snapshot, a value, is changed so that its time has come.
"""

import math
from typing import Any, Final

import attrs

from splus_session import (
    Announce,
    AskRenewal,
    Change,
    Config,
    Event,
    FailureKind,
    OpenSession,
    Persist,
    Record,
    ReleaseWaiters,
    Renew,
    RenewalFailed,
    Retry,
    Revoke,
    RevokeOrphan,
    RunHook,
    ServerClock,
    SessionCore,
    SessionState,
    Snapshot,
    Step,
    TokenExpired,
    Verify,
    step,
)
from splus_session._failures import RETRYABLE
from splus_session.conformance._moment import IN_SESSION, Call, Flight

LEAST_SHARE: Final = 0.5
"""A renewal may come earlier by a jitter, but not before this share of its planned time. [RENEW-1]"""

_TICK: Final = 1.0
"""Seconds. By so much clients differ in what they take the platform's time for, and so in when they begin."""

_BLINK: Final = 0.1
"""Seconds. So close to a turn a client is looked at: what it does meanwhile is taken either way."""

_FAILS: Final[dict[FailureKind, frozenset[str]]] = {
    FailureKind.REFUSED: frozenset({"refused"}),
    FailureKind.UNAUTHORIZED: frozenset({"refused", "invalid_access_token"}),
    FailureKind.BANNED: frozenset({"user_banned"}),
    FailureKind.DELETED: frozenset({"user_deleted"}),
    FailureKind.RATE_LIMITED: frozenset({"unavailable"}),
    FailureKind.UNAVAILABLE: frozenset({"unavailable"}),
    FailureKind.UNREACHABLE: frozenset({"unavailable"}),
    FailureKind.MALFORMED: frozenset({"malformed_answer", "unavailable", "refused"}),
    FailureKind.WRONG_USER: frozenset({"malformed_answer", "refused"}),
    FailureKind.EXPIRED_ON_ARRIVAL: frozenset({"malformed_answer", "refused"}),
    FailureKind.UNABLE: frozenset({"renewal_failed"}),
    FailureKind.NO_ANSWER: frozenset({"renewal_failed"}),
    FailureKind.NO_HANDLER: frozenset({"handler_required", "renewal_failed"}),
    FailureKind.CANCELLED: frozenset({"cancelled", "interrupted"}),
    FailureKind.LOGGED_OUT: frozenset({"interrupted", "cancelled", "not_logged_in"}),
    FailureKind.SUPERSEDED: frozenset({"interrupted", "cancelled"}),
}


_OF_TOKEN: Final = frozenset({FailureKind.REFUSED, FailureKind.EXPIRED_ON_ARRIVAL, FailureKind.MALFORMED})


def _kinds(do: str, failure: FailureKind) -> frozenset[str]:
    """How a call fails whose request, or renewal, came to this."""
    kinds = _FAILS[failure]
    if do == "login_with_access_token" and failure in _OF_TOKEN:
        return kinds | {"invalid_access_token"}
    if do == "secure_logout" and failure in RETRYABLE:
        return kinds | {"refused"}  # the platform may have refused it before it could not be asked again
    return kinds


@attrs.define(eq=False)
class Ask:
    """A handler's call that is expected, or was made."""

    command: AskRenewal
    renewal: int | None = None
    """The client's number for it; None: it was not called yet."""
    is_token: bool = False
    """Whether an access token handler was called."""
    answered: bool = False
    """Whether it was decided how it is to be answered, if at all."""
    came_back: bool = False
    """Whether the handler has come back from it, or can."""


class Oracle:
    """One client, as it should be."""

    def __init__(self, *, development: bool, session_handler: bool, access_token_handler: bool) -> None:
        # No leeway: a client may stop using a token before its time, which is judged by itself.
        self.core = SessionCore(Config(jitter=0.0, leeway=0.0, development=development))
        self.record: Record | None = None
        self.session_handler = session_handler
        self.access_token_handler = access_token_handler
        self.flights: list[Flight] = []
        self.asks: list[Ask] = []
        self.calls: list[Call] = []
        self.steps: list[Step] = []
        self.changes: list[Change] = []
        self.hooks: list[str] = []
        self.not_before = -math.inf
        """When the next retry may come at the earliest, by its backoff."""
        self.lax = False
        """Whether the client was late once: what it does later is taken as it comes."""

    @property
    def snapshot(self) -> Snapshot:
        """Where it is."""
        return self.core.snapshot

    # ── Being told ──────────────────────────────────────────────────────────────────────────────

    def feed(self, event: Event, now: float) -> Step:
        """Tell it what happened; gives that event's own step."""
        taken = self.core.receive(event, now)
        self._note(taken, now)
        return next(step for step in taken if step.event is event)

    def advance(self, now: float) -> None:
        """Let it be this late."""
        self._note(self.core.advance(now), now)

    def force(self, event: Event, now: float) -> None:
        """Apply a fact of time before its time, because the client did."""
        taken = step(self.core.snapshot, event, now)
        self.core.snapshot = taken.after
        self._note([taken], now)
        self.advance(now)

    def change(self, **fields: Any) -> None:
        """Change its memory."""
        self.core.snapshot = attrs.evolve(self.core.snapshot, **fields)

    def _note(self, steps: list[Step], now: float) -> None:
        for taken in steps:
            self.steps.append(taken)
            for command in taken.commands:
                match command:
                    case Persist(record):
                        self.record = record
                    case Announce(change):
                        self.changes.append(change)
                    case RunHook(hook_call):
                        self.hooks.append(hook_call.hook)
                    case OpenSession() | Renew() | Verify() | Revoke() | RevokeOrphan():
                        self.flights.append(Flight(command))
                    case AskRenewal():
                        self.asks.append(Ask(command))
                    case ReleaseWaiters(attempt, failure):
                        for call in self.calls:
                            if call.attempt == attempt and not call.is_due:
                                call.kinds = frozenset() if failure is None else _kinds(call.do, failure.kind)
            if isinstance(taken.event, RenewalFailed) and taken.row is not None:
                self._widen(taken.event, now)

    def _widen(self, event: RenewalFailed, now: float) -> None:
        """Let a retry come at any moment of its backoff, and at its end at the latest. [RENEW-7]"""
        snapshot, config = self.snapshot, self.snapshot.config
        retry = snapshot.retry
        if retry is None or event.failure.kind not in RETRYABLE:
            return
        bound = min(config.pause, config.backoff * 2.0 ** min(retry.failures - 1, 64))
        floor = min(event.failure.retry_after or 0.0, config.pause)
        self.not_before = now + floor
        self.change(retry=attrs.evolve(retry, at=now + max(bound, floor)))

    def doubt(self, told: Event, now: float) -> None:
        """Take the platform's clock for as late as this answer lets it be, since what a client does before
        the oracle is followed: clients read `Date`, which has whole seconds, in different ways. [EXPIRE-4]
        """
        clock: ServerClock | None = getattr(told, "clock", None)
        if clock is not None:
            offset = self.snapshot.offset
            self.change(offset=max(min(offset, clock.date - now), offset - _TICK))

    # ── Following ───────────────────────────────────────────────────────────────────────────────

    def follow_renewal(self, now: float, *, sends_again: bool = False) -> bool:
        """The client renews, or asks its handler, before the oracle would: is that within its rights?

        Args:
            now: when it does, UTC seconds.
            sends_again: it sends what it sent last, if there is such a thing, and does not ask.
        """
        snapshot = self.snapshot
        if (
            snapshot.state not in IN_SESSION
            or snapshot.renewal is not None
            or snapshot.revocation is not None
        ):
            return False
        if snapshot.retry is not None:
            is_pause = snapshot.retry.grant is None
            early = now < self.not_before or (is_pause and now < snapshot.retry.at - _TICK)
            obtained_at = snapshot.retry.obtained_at
            if sends_again and 0 <= (late := now - self._grows_old(snapshot.retry)) < _BLINK:
                # When it was sent, just before this look, it was young enough.
                obtained_at += late + 0.001
            self.change(retry=attrs.evolve(snapshot.retry, at=now, obtained_at=obtained_at))
        else:
            credential = snapshot.credential
            plan = None if snapshot.renew_at is None or credential is None else snapshot.renew_at
            early = plan is None and not self.lax
            if plan is not None and credential is not None:
                soonest = credential.issued_at + LEAST_SHARE * (plan - credential.issued_at)
                early = now + snapshot.offset < soonest
            self.change(renew_at=now + snapshot.offset)
        self.advance(now)
        return not early

    def follow_expiry(self, now: float) -> bool:
        """The client takes its token for expired before the oracle does: is that within its rights?"""
        snapshot = self.snapshot
        credential = snapshot.credential
        if snapshot.state is not SessionState.ESTABLISHED or credential is None:
            return False
        if credential.expires_at is None:
            if not self.lax:
                return False
        else:
            margin = min(snapshot.config.margin, credential.lifetime / 10)
            if now + snapshot.offset < credential.expires_at - margin:
                return False
        self.force(TokenExpired(), now)
        return True

    def forgive(self, before: Snapshot, asks: list[Ask]) -> None:
        """The client did not do in time what time brought. Go on as if it were not due, but ever."""
        self.lax = True
        credential = before.credential
        if credential is not None and credential.expires_at is not None:
            credential = attrs.evolve(credential, expires_at=None)
        now = self.snapshot.now
        self.core.snapshot = attrs.evolve(before, credential=credential, renew_at=None, retry=None, now=now)
        for ask in asks:
            self.asks.remove(ask)

    @property
    def deadline(self) -> float | None:
        """When time will bring something."""
        return self.core.deadline

    def dues(self) -> tuple[float, ...]:
        """When to look at the client: when time brings something, or lets it."""
        deadline = self.deadline
        return self._turns() if deadline is None else (deadline, *self._turns())

    def _turns(self) -> tuple[float, ...]:
        """When it changes what a client may do by itself at a moment of its own choice."""
        retry = self.snapshot.retry
        if retry is None:
            return ()
        # Before the platform allows a retry again; and before and when what was presented is too old for one.
        grows_old = self._grows_old(retry)
        # And so often that a handler which is asked is answered in time.
        soon = (self.snapshot.now + self.snapshot.config.answer_timeout / 2,) if retry.grant else ()
        return self.not_before - _BLINK, grows_old - _BLINK, grows_old, *soon

    def _grows_old(self, retry: Retry) -> float:
        return retry.obtained_at + self.snapshot.config.auth_token_lifetime
