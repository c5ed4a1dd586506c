"""What goes into the core: requests, which may be refused, and facts, which never are.

Every class here is one event of the chart; its name there is the class's name in snake case.
Facts come from four sources: the platform's answers, the app, the world, and time. An answer
carries the number of the attempt it answers, so that a late one is told from a present one.
Times are UTC seconds.
"""

from typing import get_args

from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Credential,
    Grant,
    Record,
    UserIdGrant,
    VisitorGrant,
)
from splus_session._failures import Failure
from splus_session._secrets import AuthSignature, AuthToken
from splus_session._value import value


@value
class ServerClock:
    """What an answer tells of the platform's clock: its `Date`, and when its request left, by ours."""

    date: float
    sent_at: float


# ── Requests ────────────────────────────────────────────────────────────────────────────────────


@value
class Login:
    """Log in a user: with an auth token, or, in development, with the id alone. [LOGIN-1] [LOGIN-4]"""

    user_id: str
    auth_token: AuthToken | None = None
    display_name: str | None = None
    own_handler: bool = False
    """Whether this login brings a session handler of its own. [HANDLER-1]"""

    @property
    def grant(self) -> Grant:
        """What is presented to the platform."""
        if self.auth_token is None:
            return UserIdGrant(self.user_id, self.display_name)
        return AuthTokenGrant(self.user_id, self.auth_token, self.display_name)


@value
class LoginWithAccessToken:
    """Log in with an access token that the customer's backend issued. [LOGIN-7]"""

    credential: Credential
    own_handler: bool = False

    @property
    def grant(self) -> Grant:
        """What is presented to the platform."""
        return AccessTokenGrant(self.credential)


@value
class LoginAsVisitor:
    """Log in this device as a visitor. [LOGIN-8]"""

    signature: AuthSignature | None = None
    signature_expires_at: str | None = None
    own_handler: bool = False

    @property
    def grant(self) -> Grant:
        """What is presented to the platform."""
        return VisitorGrant(self.signature, self.signature_expires_at)


@value
class LoginAsBot:
    """Log in this device as a bot. [LOGIN-8]"""

    own_handler: bool = False

    @property
    def grant(self) -> Grant:
        """What is presented to the platform."""
        return BotGrant()


@value
class Resume:
    """Start from a stored session, without a login. [RESUME-1]"""

    record: Record


@value
class Logout:
    """Forget the user, here and now. Needs no network. [LOGOUT-1]"""


@value
class SecureLogout:
    """Revoke the token first, and log out only if that worked. [LOGOUT-3] [LOGOUT-4]"""


@value
class RenewNow:
    """Renew without waiting for the time or for the end of a pause. [RENEW-9]"""


Request = (
    Login | LoginWithAccessToken | LoginAsVisitor | LoginAsBot | Resume | Logout | SecureLogout | RenewNow
)
"""Asked by the embedding client; refused with a typed error where not possible, changing nothing."""

LoginRequest = Login | LoginWithAccessToken | LoginAsVisitor | LoginAsBot


# ── Facts: the platform's answers ───────────────────────────────────────────────────────────────


@value
class SessionOpened:
    """The platform accepted a login. [LOGIN-2] [LOGIN-6]"""

    credential: Credential
    attempt: int
    minted: bool = True
    """Whether the answer brought the token, rather than confirming one that was presented. Only a
    token that came with an answer is revoked when nobody wants it. [LOGIN-6]"""
    clock: ServerClock | None = None


@value
class LoginFailed:
    """A login came to nothing. [LOGIN-3]"""

    attempt: int
    failure: Failure
    clock: ServerClock | None = None


@value
class TokenRenewed:
    """The platform accepted a renewal. [RENEW-8] [RENEW-11]"""

    credential: Credential
    attempt: int
    minted: bool = True
    clock: ServerClock | None = None


@value
class RenewalFailed:
    """A renewal that was sent came to nothing. [RENEW-7]"""

    attempt: int
    failure: Failure
    clock: ServerClock | None = None


@value
class TokenConfirmed:
    """A verification found the token alive. [EXPIRE-3]"""

    attempt: int
    clock: ServerClock | None = None


@value
class TokenRefuted:
    """A verification found the token dead. [EXPIRE-3]"""

    attempt: int
    clock: ServerClock | None = None


@value
class VerificationFailed:
    """A verification found out nothing. [EXPIRE-3]"""

    attempt: int
    failure: Failure
    clock: ServerClock | None = None


@value
class TokenRevoked:
    """The platform revoked the token. [LOGOUT-3]"""

    attempt: int
    clock: ServerClock | None = None


@value
class RevocationDoubted:
    """The platform answered a revocation with 401: the token may be void already. [LOGOUT-3]"""

    attempt: int
    clock: ServerClock | None = None


@value
class RevocationFailed:
    """The platform did not revoke the token, or the answer was lost. [LOGOUT-3]"""

    attempt: int
    failure: Failure
    clock: ServerClock | None = None


@value
class TokenOrphaned:
    """An answer brought a token together with a failure: nobody may use it. [LOGIN-6]"""

    credential: Credential


# ── Facts: the app ──────────────────────────────────────────────────────────────────────────────


@value
class LoginCancelled:
    """The caller of a login gave up. [LOGIN-9]"""

    attempt: int


@value
class RenewalAnswered:
    """The handler answered a renewal with something to present. [RENEW-4]"""

    attempt: int
    grant: Grant


@value
class RenewalUnable:
    """The handler cannot help now: it said so, raised, or answered nonsense. [RENEW-6]"""

    attempt: int


@value
class HandlersChanged:
    """Handlers of the client were registered or unregistered. [HANDLER-1] [HANDLER-2]"""

    session_handler: bool
    access_token_handler: bool


# ── Facts: the world ────────────────────────────────────────────────────────────────────────────


@value
class TokenRejected:
    """An API call was answered with 401 or 400100. `attempt` numbers the credential it used. [EXPIRE-3]"""

    attempt: int


@value
class UserBanned:
    """The platform banned a user. [BAN-1] [BAN-2] [BAN-3]"""

    user_id: str | None = None
    """Whom; None where the source cannot say."""
    attempt: int | None = None
    """The attempt of the session over which it was heard; None where the source cannot say."""
    failure: Failure | None = None
    """The answer that told it, if one did."""
    clock: ServerClock | None = None


@value
class UserDeleted:
    """The platform deleted a user. [BAN-1] [BAN-2] [BAN-3]"""

    user_id: str | None = None
    attempt: int | None = None
    failure: Failure | None = None
    clock: ServerClock | None = None


# ── Facts: time. The core makes these itself, when they are due ─────────────────────────────────


@value
class TokenExpired:
    """The token's time is over. [EXPIRE-1]"""


@value
class RenewalDue:
    """It is time to renew, for the first time or again. [RENEW-1] [RENEW-7]"""


@value
class AnswerOverdue:
    """The handler did not answer a renewal in time. [RENEW-6]"""


@value
class RevocationDue:
    """Nothing holds a secure logout up any longer. [LOGOUT-4]"""


PlatformFact = (
    SessionOpened
    | LoginFailed
    | TokenRenewed
    | RenewalFailed
    | TokenConfirmed
    | TokenRefuted
    | VerificationFailed
    | TokenRevoked
    | RevocationDoubted
    | RevocationFailed
    | TokenOrphaned
)
AppFact = LoginCancelled | RenewalAnswered | RenewalUnable | HandlersChanged
WorldFact = TokenRejected | UserBanned | UserDeleted
TimeFact = TokenExpired | RenewalDue | AnswerOverdue | RevocationDue
Fact = PlatformFact | AppFact | WorldFact | TimeFact
"""Something that happened: it moves the session or is dropped, visibly; never refused."""

Event = Request | Fact

REQUESTS: frozenset[type[Request]] = frozenset(get_args(Request))
EVENTS: tuple[type[Event], ...] = get_args(Event)


def event_name(event: type[Event] | Event) -> str:
    """The event's name in the chart: `SessionOpened` is `session_opened`."""
    return _NAMES[event if isinstance(event, type) else type(event)]


def _name(event: type[Event]) -> str:
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in event.__name__)
    return words.removeprefix("_")


_NAMES = {event: _name(event) for event in EVENTS}
