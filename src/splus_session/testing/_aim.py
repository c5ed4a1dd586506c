"""Times and events that mean something to a session as it is, or nearly so."""

import math
from collections.abc import Callable
from typing import NamedTuple, get_args

from splus_session import (
    AccessToken,
    AnswerOverdue,
    AuthSignature,
    AuthToken,
    Config,
    Credential,
    Event,
    Failure,
    FailureKind,
    Grant,
    HandlersChanged,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginCancelled,
    LoginFailed,
    LoginWithAccessToken,
    Logout,
    Record,
    RenewalAnswered,
    RenewalDue,
    RenewalFailed,
    RenewalUnable,
    RenewNow,
    Resume,
    RevocationDoubted,
    RevocationDue,
    RevocationFailed,
    SecureLogout,
    ServerClock,
    SessionKind,
    SessionOpened,
    SessionState,
    Snapshot,
    TokenConfirmed,
    TokenExpired,
    TokenOrphaned,
    TokenRefuted,
    TokenRejected,
    TokenRenewed,
    TokenRevoked,
    UserBanned,
    UserDeleted,
    VerificationFailed,
    upcoming,
)
from splus_session.testing._dice import (
    EPOCH,
    LIFETIMES,
    USERS,
    Dice,
    draw_access_token,
    draw_clock,
    draw_credential,
    draw_failure,
    draw_grant,
    draw_record,
)

_MINUTE, _HOUR, _DAY, _YEAR = 60.0, 3600.0, 86_400.0, 31_536_000.0
_PASSING = (
    FailureKind.UNREACHABLE,
    FailureKind.UNAVAILABLE,
    FailureKind.RATE_LIMITED,
    FailureKind.MALFORMED,
)


def types_for(dice: Dice, snapshot: Snapshot) -> tuple[type[Event], ...]:
    """Every second time, what answers something that is in flight or belongs to the state."""
    return _likely(snapshot) if dice.flag() else FROM_OUTSIDE


def _likely(snapshot: Snapshot) -> tuple[type[Event], ...]:
    match snapshot.state:
        case SessionState.NOT_LOGGED_IN:
            return (Login, LoginWithAccessToken, LoginAsVisitor, LoginAsBot, Resume)
        case SessionState.ESTABLISHING:
            return (SessionOpened, LoginFailed, LoginCancelled, UserBanned)
        case SessionState.TERMINATED:
            return (Logout, SecureLogout)
        case _:
            return (*_answers(snapshot), TokenRejected, SecureLogout, RenewNow, UserBanned, UserDeleted)


def _answers(snapshot: Snapshot) -> tuple[type[Event], ...]:
    """What may come of what is in flight within a session."""
    found: tuple[type[Event], ...] = ()
    if snapshot.renewal is not None:
        found += (RenewalAnswered, RenewalUnable, TokenRenewed, RenewalFailed)
    if snapshot.verification is not None:
        found += (TokenConfirmed, TokenRefuted, VerificationFailed)
    if snapshot.revocation is not None:
        found += (TokenRevoked, RevocationDoubted, RevocationFailed, TokenConfirmed, TokenRefuted)
    return found


def event_for(dice: Dice, snapshot: Snapshot, now: float, types: tuple[type[Event], ...]) -> Event:
    return AIMED[dice.pick(types)](_Aim(dice, snapshot, now))


def time_for(dice: Dice, snapshot: Snapshot) -> float:
    present = snapshot.now if math.isfinite(snapshot.now) else EPOCH
    if dice.rarely():
        return present + dice.pick((_DAY, -_DAY, 40 * _YEAR, -40 * _YEAR))
    if dice.rarely():
        return present + dice.pick((0.25, 1.0, _MINUTE, -_MINUTE))
    if dice.flag():
        return present
    return dice.pick(_interesting(snapshot, present)) + dice.pick((0.0, -1.0, 1.0, 0.25, -0.25))


def _interesting(snapshot: Snapshot, present: float) -> tuple[float, ...]:
    due = upcoming(snapshot)
    found = [present] if due is None else [due[0]]
    credential, offset = snapshot.credential, snapshot.offset
    if credential is not None and credential.expires_at is not None:
        found += [credential.expires_at - offset, _dies_at(snapshot.config, credential) - offset]
    if snapshot.renew_at is not None:
        found.append(snapshot.renew_at - offset)
    if snapshot.renewal is not None and snapshot.renewal.deadline is not None:
        found.append(snapshot.renewal.deadline)
    if snapshot.retry is not None:
        found.append(snapshot.retry.at)
    if snapshot.revocation is not None:
        found.append(snapshot.revocation.deadline)
    return tuple(math.floor(time * 4) / 4 if math.isfinite(time) else present for time in found)


def _dies_at(config: Config, credential: Credential) -> float:
    if credential.expires_at is None:
        return math.inf
    return credential.expires_at - min(config.leeway, credential.lifetime / 10)


class _Aim(NamedTuple):
    """Draws parts of an event so that they fit a session, or nearly."""

    dice: Dice
    snapshot: Snapshot
    now: float

    def attempt(self, *current: int | None) -> int:
        """The number of what is in flight, mostly; otherwise another one that the session has, or had."""
        fitting = tuple(number for number in current if number is not None)
        if fitting and self.dice.below(4) < 3:
            return self.dice.pick(fitting)
        snapshot = self.snapshot
        renewal, revocation = snapshot.renewal, snapshot.revocation
        others = (
            snapshot.attempt,
            snapshot.session,
            max(0, snapshot.session - 1),
            snapshot.credential_attempt,
            snapshot.attempt + 1,
            0 if renewal is None else renewal.attempt,
            snapshot.verification or 0,
            0 if revocation is None else revocation.attempt,
        )
        return self.dice.pick(others)

    def renewal(self) -> int:
        renewal = self.snapshot.renewal
        return self.attempt(None if renewal is None else renewal.attempt)

    def verification(self) -> int:
        revocation = self.snapshot.revocation
        return self.attempt(self.snapshot.verification, None if revocation is None else revocation.check)

    def revocation(self) -> int:
        revocation = self.snapshot.revocation
        return self.attempt(None if revocation is None else revocation.attempt)

    def user(self) -> str:
        """Mostly the session's own."""
        own = self.snapshot.user_id
        return own if own is not None and not self.dice.rarely() else self.dice.pick(USERS)

    def clock(self) -> ServerClock | None:
        return draw_clock(self.dice, self.now, self.snapshot.offset) if self.dice.rarely() else None

    def credential(self) -> Credential:
        """Mostly a new one; perhaps one that is dead within a second or was so before, or an old one."""
        server_now, user = self.now + self.snapshot.offset, self.user()
        held = self.snapshot.credential
        token = draw_access_token(self.dice)
        if held is not None and self.dice.rarely():
            token = held.access_token
        match self.dice.pick(("fresh", "fresh", "edge", "any")):
            case "fresh":
                return Credential(token, user, server_now, server_now + self.dice.pick(LIFETIMES))
            case "edge":
                leeway = self.snapshot.config.leeway
                dies_at = server_now + self.dice.pick((0.0, 0.25, 1.0, -0.25, -1.0))
                return Credential(token, user, dies_at - 10 * leeway - _HOUR, dies_at + leeway)
            case _:
                drawn = draw_credential(self.dice, server_now, user)
                return Credential(token, user, drawn.issued_at, drawn.expires_at)

    def orphan(self) -> Credential:
        """What comes together with a failure; rarely the token in use once more."""
        held = self.snapshot.credential
        if held is not None and self.dice.rarely():
            return held
        return Credential(AccessToken("orphan"), self.user(), self.now, self.now + _HOUR)

    def grant(self) -> Grant:
        """What a handler may answer for a session of this kind."""
        kind = self.snapshot.kind or SessionKind.AUTH_TOKEN
        return draw_grant(self.dice, kind, self.user(), self.credential())

    def failure(self, *kinds: FailureKind) -> Failure:
        """Every second time one of these."""
        return draw_failure(self.dice, kinds if kinds and self.dice.flag() else tuple(FailureKind))

    def flag(self) -> bool:
        return self.dice.flag()

    def record(self) -> Record:
        return draw_record(self.dice, self.now)

    def banned(self) -> tuple[str | None, int | None, Failure | None, ServerClock | None]:
        """Whom and over which attempt, where the source can say."""
        user = None if self.flag() else self.user()
        attempt = None if self.dice.rarely() else self.attempt(self.snapshot.session)
        return user, attempt, None if self.flag() else self.failure(), self.clock()


AIMED: dict[type[Event], Callable[[_Aim], Event]] = {
    Login: lambda aim: Login(
        aim.user(), None if aim.flag() else AuthToken("auth"), None, own_handler=aim.flag()
    ),
    LoginWithAccessToken: lambda aim: LoginWithAccessToken(aim.credential(), own_handler=aim.flag()),
    LoginAsVisitor: lambda aim: LoginAsVisitor(
        AuthSignature("signed") if aim.flag() else None, own_handler=aim.flag()
    ),
    LoginAsBot: lambda aim: LoginAsBot(own_handler=aim.flag()),
    Resume: lambda aim: Resume(aim.record()),
    Logout: lambda aim: Logout(),
    SecureLogout: lambda aim: SecureLogout(),
    RenewNow: lambda aim: RenewNow(),
    SessionOpened: lambda aim: SessionOpened(
        aim.credential(), aim.attempt(aim.snapshot.session), not aim.dice.rarely(), aim.clock()
    ),
    LoginFailed: lambda aim: LoginFailed(aim.attempt(aim.snapshot.session), aim.failure(), aim.clock()),
    TokenRenewed: lambda aim: TokenRenewed(
        aim.credential(), aim.renewal(), not aim.dice.rarely(), aim.clock()
    ),
    RenewalFailed: lambda aim: RenewalFailed(aim.renewal(), aim.failure(*_PASSING), aim.clock()),
    TokenConfirmed: lambda aim: TokenConfirmed(aim.verification(), aim.clock()),
    TokenRefuted: lambda aim: TokenRefuted(aim.verification(), aim.clock()),
    VerificationFailed: lambda aim: VerificationFailed(aim.verification(), aim.failure(), aim.clock()),
    TokenRevoked: lambda aim: TokenRevoked(aim.revocation(), aim.clock()),
    RevocationDoubted: lambda aim: RevocationDoubted(aim.revocation(), aim.clock()),
    RevocationFailed: lambda aim: RevocationFailed(aim.revocation(), aim.failure(), aim.clock()),
    TokenOrphaned: lambda aim: TokenOrphaned(aim.orphan()),
    LoginCancelled: lambda aim: LoginCancelled(aim.attempt(aim.snapshot.session)),
    RenewalAnswered: lambda aim: RenewalAnswered(aim.renewal(), aim.grant()),
    RenewalUnable: lambda aim: RenewalUnable(aim.renewal()),
    HandlersChanged: lambda aim: HandlersChanged(aim.flag(), aim.flag()),
    TokenRejected: lambda aim: TokenRejected(aim.attempt(aim.snapshot.credential_attempt)),
    UserBanned: lambda aim: UserBanned(*aim.banned()),
    UserDeleted: lambda aim: UserDeleted(*aim.banned()),
    TokenExpired: lambda aim: TokenExpired(),
    RenewalDue: lambda aim: RenewalDue(),
    AnswerOverdue: lambda aim: AnswerOverdue(),
    RevocationDue: lambda aim: RevocationDue(),
}
_OF_TIME = {TokenExpired, RenewalDue, AnswerOverdue, RevocationDue}
FROM_OUTSIDE = tuple(event for event in get_args(Event) if event not in _OF_TIME)
