"""The whole memory of a session, and one finished transition of it."""

from splus_session._commands import Command
from splus_session._config import Config
from splus_session._credentials import Credential, Grant, SessionKind
from splus_session._events import Event
from splus_session._failures import Failure
from splus_session._row import Row
from splus_session._states import SessionState, TerminationReason
from splus_session._value import value


@value
class Renewal:
    """A renewal in flight: waiting for the handler (`grant` is None) or for the platform."""

    attempt: int
    failures: int
    """How many attempts failed in a row before this one."""
    deadline: float | None = None
    """Until when the handler may answer (UTC seconds); None once it has."""
    grant: Grant | None = None
    obtained_at: float = 0.0
    """When the handler gave the grant."""


@value
class Retry:
    """Between two attempts to renew: when to try again, after what."""

    at: float
    """UTC seconds, by our clock."""
    failures: int
    failure: Failure | None = None
    """None: nothing failed, somebody asked to renew now."""
    grant: Grant | None = None
    """Presented again if it is still young. [RENEW-7]"""
    obtained_at: float = 0.0


@value
class Revocation:
    """A secure logout on its way."""

    attempt: int
    deadline: float
    """Until when it waits for a renewal in flight (UTC seconds)."""
    sent: bool = False
    check: int | None = None
    """The verification that finds out what a 401 to the revocation meant."""


@value
class Snapshot:
    """The whole memory of a session. A value: forking, comparing and storing it are free of surprises.

    It never holds a handler, a callback or a lock, only whether there *is* a handler. Numbers of
    attempts outlive a logout, so that an answer to an earlier one is always told from a present one.
    """

    config: Config
    seed: int
    """The state of the jitter's generator."""
    state: SessionState = SessionState.NOT_LOGGED_IN
    now: float = float("-inf")
    """The latest time heard of (UTC seconds)."""
    offset: float = 0.0
    """The platform's clock less ours, in seconds."""
    attempt: int = 0
    """The last number given out, to whatever kind of attempt."""
    session: int = 0
    """The attempt that this session began with: a login or a resume."""
    kind: SessionKind | None = None
    user_id: str | None = None
    """Whose session it is; None also during a visitor's or bot's login."""
    credential: Credential | None = None
    credential_attempt: int = 0
    """The attempt that brought the credential. [EXPIRE-3]"""
    renew_at: float | None = None
    """When renewal is planned, by the platform's clock; None if the token never expires. [RENEW-1]"""
    renewal: Renewal | None = None
    retry: Retry | None = None
    verification: int | None = None
    """The verification of a rejected token in flight."""
    revocation: Revocation | None = None
    ended: TerminationReason | None = None
    session_handler: bool = False
    access_token_handler: bool = False
    own_handler: bool = False
    """Whether this session brought a session handler of its own. [HANDLER-1]"""

    def __repr__(self) -> str:
        return f"<Snapshot {self.state.value} attempt={self.attempt}>"


@value
class Step:
    """One finished transition."""

    before: Snapshot
    event: Event
    after: Snapshot
    commands: tuple[Command, ...] = ()
    """What the driver has to do, in this order."""
    dropped: str | None = None
    """Why nothing happened: `"not_allowed"`, or the guard that was against it."""
    row: Row | None = None
    """The row of the chart that was taken; None if dropped."""
