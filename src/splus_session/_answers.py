"""The platform's answers, and the facts they mean: the same for every driver."""

from splus_session._commands import OpenSession, Renew, Revoke, Verify
from splus_session._credentials import AccessTokenGrant, Credential
from splus_session._events import (
    Fact,
    LoginFailed,
    RenewalFailed,
    RevocationDoubted,
    RevocationFailed,
    ServerClock,
    SessionOpened,
    TokenConfirmed,
    TokenOrphaned,
    TokenRefuted,
    TokenRenewed,
    TokenRevoked,
    UserBanned,
    UserDeleted,
    VerificationFailed,
)
from splus_session._failures import Failure, FailureKind
from splus_session._value import value

Attempt = OpenSession | Renew | Verify | Revoke
"""The commands that the platform answers."""


@value
class Answer:
    """What came of one request to the platform: a value, whatever happened.

    A failure may still carry a credential: a token that came together with a ban, say. Nobody
    may use it, and it is revoked. [LOGIN-6]
    """

    credential: Credential | None = None
    failure: Failure | None = None
    clock: ServerClock | None = None
    """What the answer told of the platform's clock, if anything. [EXPIRE-4]"""


_MALFORMED = Failure(FailureKind.MALFORMED)


_NO_ANSWER = Failure(FailureKind.UNREACHABLE)


def checked(answer: object) -> Answer:
    """What a platform adapter gave; anything but an `Answer` is none."""
    return answer if isinstance(answer, Answer) else Answer(failure=_NO_ANSWER)


def facts(command: Attempt, answer: Answer) -> tuple[Fact, ...]:
    """What it means that `command` got this answer.

    A ban is the same fact whatever brought it [BAN-3]; a token that comes with a failure is an
    orphan [LOGIN-6].
    """
    attempt, credential = command.attempt, answer.credential
    failure, clock = answer.failure, answer.clock
    if failure is None:
        return (_success(command, credential, clock),)
    orphan: tuple[Fact, ...] = ()
    if credential is not None and isinstance(command, OpenSession | Renew):
        if not isinstance(command.grant, AccessTokenGrant):
            orphan = (TokenOrphaned(credential),)
    if failure.kind is FailureKind.BANNED:
        return (UserBanned(attempt=attempt, failure=failure, clock=clock), *orphan)
    if failure.kind is FailureKind.DELETED:
        return (UserDeleted(attempt=attempt, failure=failure, clock=clock), *orphan)
    return (_failure(command, failure, clock), *orphan)


def minted_by(fact: Fact) -> Credential | None:
    """The credential that the platform made for this answer, if it did: to be revoked if nobody uses it."""
    match fact:
        case (
            SessionOpened(credential=credential, minted=True)
            | TokenRenewed(credential=credential, minted=True)
        ):
            return credential
        case TokenOrphaned(credential=credential):
            return credential
        case _:
            return None


def _success(command: Attempt, credential: Credential | None, clock: ServerClock | None) -> Fact:
    attempt = command.attempt
    match command:
        case OpenSession():
            if credential is None:
                return LoginFailed(attempt, _MALFORMED, clock)
            minted = not isinstance(command.grant, AccessTokenGrant)
            return SessionOpened(credential, attempt, minted, clock)
        case Renew():
            if credential is None:
                return RenewalFailed(attempt, _MALFORMED, clock)
            minted = not isinstance(command.grant, AccessTokenGrant)
            return TokenRenewed(credential, attempt, minted, clock)
        case Verify():
            return TokenConfirmed(attempt, clock)
        case Revoke():
            return TokenRevoked(attempt, clock)


def _failure(command: Attempt, failure: Failure, clock: ServerClock | None) -> Fact:
    attempt = command.attempt
    match command:
        case OpenSession():
            return LoginFailed(attempt, failure, clock)
        case Renew():
            return RenewalFailed(attempt, failure, clock)
        case Verify():
            if failure.kind is FailureKind.UNAUTHORIZED:
                return TokenRefuted(attempt, clock)
            return VerificationFailed(attempt, failure, clock)
        case Revoke():
            if failure.kind is FailureKind.UNAUTHORIZED:
                return RevocationDoubted(attempt, clock)
            return RevocationFailed(attempt, failure, clock)
