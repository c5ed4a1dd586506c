"""Sessions without I/O for tests: one that is led by the hand, and one that wanders at random."""

import random
from collections.abc import Iterator
from typing import Any

from splus_session._commands import Announce, Command, Persist
from splus_session._config import Config
from splus_session._core import SessionCore, at_time
from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Credential,
    Grant,
    Record,
    SessionKind,
    UserIdGrant,
    VisitorGrant,
)
from splus_session._events import (
    Event,
    Fact,
    HandlersChanged,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginCancelled,
    LoginFailed,
    LoginWithAccessToken,
    Logout,
    RenewalAnswered,
    RenewalFailed,
    RenewalUnable,
    RenewNow,
    Resume,
    RevocationDoubted,
    RevocationFailed,
    SecureLogout,
    ServerClock,
    SessionOpened,
    TokenConfirmed,
    TokenOrphaned,
    TokenRefuted,
    TokenRejected,
    TokenRenewed,
    TokenRevoked,
    UserBanned,
    UserDeleted,
    VerificationFailed,
)
from splus_session._failures import Failure, FailureKind
from splus_session._secrets import AccessToken, AuthSignature, AuthToken
from splus_session._snapshot import Snapshot, Step
from splus_session._states import SessionState

START = 1_700_000_000.0
"""When tests begin, in UTC seconds."""
HOUR, DAY, YEAR = 3_600.0, 86_400.0, 365 * 86_400.0

AUTH_TOKEN = AuthToken("the backend's word")


def credential(
    token: str = "first", *, user: str = "user-1", issued: float = START, lifetime: float | None = HOUR
) -> Credential:
    """A credential of `user-1` that was issued at `START` for an hour."""
    return Credential(AccessToken(token), user, issued, None if lifetime is None else issued + lifetime)


class Life:
    """One session and the time, which moves only when it is told to."""

    def __init__(self, *, seed: int = 0, handler: bool = True, tokens: bool = False, **config: Any) -> None:
        self.core = SessionCore(Config(**{"jitter": 0.0, **config}), seed=seed)
        self.now = START
        self.heard: list[Command] = []
        """Every command so far."""
        self.tell(HandlersChanged(session_handler=handler, access_token_handler=tokens))

    @property
    def snapshot(self) -> Snapshot:
        return self.core.snapshot

    def state(self) -> SessionState:
        """Where the session is. A call, since type checkers think that an attribute stays what it was."""
        return self.core.state

    @property
    def states(self) -> list[SessionState]:
        """Every state that was announced."""
        return [command.change.state for command in self.heard if isinstance(command, Announce)]

    @property
    def stored(self) -> Record | None:
        """What a store would hold now."""
        records = [command.record for command in self.heard if isinstance(command, Persist)]
        return records[-1] if records else None

    def tell(self, event: Event) -> list[Command]:
        """Have an event applied, which must not be dropped, and give back what is to be done."""
        steps = self.core.receive(event, self.now)
        [own] = [step for step in steps if step.event is event]
        assert own.dropped is None, f"{event} was dropped: {own.dropped}"
        return self._told(steps)

    def drop(self, event: Event) -> str:
        """Have an event dropped, which must change nothing, and give back why it was."""
        before = at_time(self.snapshot, self.now)
        [step] = self.core.receive(event, self.now)
        assert step.dropped is not None, f"{event} was applied"
        assert step.commands == ()
        assert self.snapshot == step.after == step.before == before
        return step.dropped

    def wait(self, seconds: float) -> list[Command]:
        """Let time pass, to and fro, and give back what it brings."""
        return self.until(self.now + seconds)

    def until(self, now: float) -> list[Command]:
        self.now = now
        return self._told(self.core.advance(now))

    def until_due(self) -> list[Command]:
        """Let time pass until something is due."""
        assert self.core.deadline is not None
        return self.until(max(self.core.deadline, self.now))

    def _told(self, steps: list[Step]) -> list[Command]:
        commands = [command for step in steps for command in step.commands]
        self.heard += commands
        return commands

    # Short cuts

    def log_in(self, opened: Credential | None = None) -> "Life":
        """Log in `user-1` with an auth token."""
        self.tell(Login("user-1", AUTH_TOKEN))
        return self.opened(opened)

    def opened(self, opened: Credential | None = None) -> "Life":
        self.tell(SessionOpened(opened or credential(issued=self.now), self.snapshot.attempt))
        return self

    def expire(self) -> "Life":
        """Let the token die."""
        assert self.snapshot.credential is not None
        assert self.snapshot.credential.expires_at is not None
        self.until(self.snapshot.credential.expires_at)
        return self


# ── A session that wanders ──────────────────────────────────────────────────────────────────────


class Wanderer:
    """A session to which anything that can happen happens, in any order, plausibly often."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._config = Config(development=self._chance.random() < 0.5, jitter=self._chance.choice([0.0, 0.5]))
        self.core = SessionCore(self._config, seed=seed)
        self.now = START

    def steps(self, events: int) -> Iterator[tuple[Event, float]]:
        """Events and their times; each has to be applied to `core` before the next one is asked for."""
        for _ in range(events):
            deadline = self.core.deadline
            if deadline is not None and deadline > self.now and self._chance.random() < 0.15:
                self.now = deadline
            else:
                self.now += self._chance.choice([0.0] * 6 + [1.0, 30.0, 600.0, -600.0, HOUR, -HOUR, 10 * DAY])
            yield self._event(), self.now

    def _event(self) -> Event:
        makers = self._forward() if self._chance.random() < 0.6 else self._anything()
        return self._chance.choice(makers)

    def _forward(self) -> list[Event]:
        """What would be next if all went well, or badly in the usual way."""
        snapshot = self.core.snapshot
        current = self._credential(right=True)
        kind = self._chance.choice(list(SessionKind))
        events: list[Event] = []
        if snapshot.state is SessionState.NOT_LOGGED_IN:
            events += [
                Login("user-1", AUTH_TOKEN, own_handler=self._chance.random() < 0.3),
                LoginWithAccessToken(current),
                LoginAsVisitor(),
                LoginAsBot(),
                Resume(Record(kind, self._credential(right=True), self._chance.random() < 0.5)),
                HandlersChanged(True, True),
            ]
        elif snapshot.state is SessionState.ESTABLISHING:
            events += [SessionOpened(current, snapshot.session, clock=self._clock())] * 3
            events += [SessionOpened(self._credential(), snapshot.session, minted=False)]
        elif snapshot.state is SessionState.TERMINATED:
            events += [Logout(), SecureLogout()]
        else:
            events += [TokenRejected(snapshot.credential_attempt), SecureLogout(), RenewNow(), UserBanned()]
        if snapshot.renewal is not None and snapshot.renewal.grant is None:
            grants: list[Grant] = [
                AuthTokenGrant("user-1", AUTH_TOKEN),
                UserIdGrant("user-1"),
                AccessTokenGrant(current),
                VisitorGrant(AuthSignature("signed"), "2099-01-01"),
                BotGrant(),
            ]
            events += [RenewalAnswered(snapshot.renewal.attempt, self._chance.choice(grants))] * 3
            events += [RenewalUnable(snapshot.renewal.attempt)]
        elif snapshot.renewal is not None:
            events += [
                TokenRenewed(current, snapshot.renewal.attempt, clock=self._clock()),
                TokenRenewed(self._credential(), snapshot.renewal.attempt, minted=False),
                RenewalFailed(snapshot.renewal.attempt, self._failure()),
            ] * 2
        if snapshot.revocation is not None:
            events += [
                TokenRevoked(snapshot.revocation.attempt),
                RevocationDoubted(snapshot.revocation.attempt),
                RevocationFailed(snapshot.revocation.attempt, self._failure()),
            ]
            if snapshot.revocation.check is not None:
                events += self._verified(snapshot.revocation.check) * 2
        if snapshot.verification is not None:
            events += self._verified(snapshot.verification)
        return events

    def _verified(self, attempt: int) -> list[Fact]:
        return [TokenConfirmed(attempt), TokenRefuted(attempt), VerificationFailed(attempt, self._failure())]

    def _anything(self) -> list[Event]:
        attempt, brought, minted = self._attempt(), self._credential(), self._chance.random() < 0.7
        user = self._chance.choice([None, "user-1", "user-2"])
        return [
            Login("user-1", self._chance.choice([AUTH_TOKEN, None])),
            LoginWithAccessToken(brought),
            LoginAsVisitor(AuthSignature("signed"), "2099-01-01"),
            Resume(Record(self._chance.choice(list(SessionKind)), brought, self._chance.random() < 0.5)),
            Logout(),
            SecureLogout(),
            RenewNow(),
            SessionOpened(brought, attempt, minted, self._clock()),
            LoginFailed(attempt, self._failure(), self._clock()),
            LoginCancelled(attempt),
            TokenRenewed(brought, attempt, minted, self._clock()),
            RenewalFailed(attempt, self._failure(), self._clock()),
            RenewalAnswered(attempt, UserIdGrant("user-1")),
            RenewalUnable(attempt),
            HandlersChanged(self._chance.random() < 0.5, self._chance.random() < 0.5),
            TokenOrphaned(self._chance.choice([brought, self.core.snapshot.credential or brought])),
            TokenRejected(attempt),
            *self._verified(attempt),
            TokenRevoked(attempt),
            RevocationDoubted(attempt),
            RevocationFailed(attempt, self._failure()),
            UserBanned(user, self._chance.choice([None, attempt])),
            UserDeleted(user, self._chance.choice([None, attempt]), clock=self._clock()),
        ]

    def _attempt(self) -> int:
        snapshot = self.core.snapshot
        known = [snapshot.attempt, snapshot.session, snapshot.credential_attempt, snapshot.verification]
        if snapshot.renewal is not None:
            known += [snapshot.renewal.attempt] * 3
        if snapshot.revocation is not None:
            known += [snapshot.revocation.attempt, snapshot.revocation.check]
        return self._chance.choice(
            [number for number in known if number is not None] + [0, snapshot.attempt + 1]
        )

    def _credential(self, *, right: bool = False) -> Credential:
        chance = self._chance
        lifetime = chance.choice([None, 60.0, HOUR, 30 * DAY, 40 * YEAR] if right else [None, 0.0, 1.0, HOUR])
        issued = self.now + self.core.snapshot.offset
        if not right:
            issued -= chance.choice([0.0, 0.0, HOUR, 30 * DAY])
        user = self.core.snapshot.user_id or "user-1"
        if not right and chance.random() < 0.3:
            user = "user-2"
        return credential(f"token {chance.random()}", user=user, issued=issued, lifetime=lifetime)

    def _clock(self) -> ServerClock | None:
        offset = self._chance.choice([None, None, None, 0.0, 5.0, -HOUR, 3 * DAY])
        return None if offset is None else ServerClock(self.now + offset, self.now - 1)

    def _failure(self) -> Failure:
        return Failure(
            self._chance.choice(list(FailureKind)), retry_after=self._chance.choice([None, 5.0, 1e9])
        )
