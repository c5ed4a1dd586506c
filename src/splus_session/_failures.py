"""What can go wrong with a login, a renewal, a verification or a revocation: as values, not exceptions.

The core and the formal model reason about failures; only a driver turns one into an exception,
at the very end and in a fresh frame, so that no transport's frame with a secret in it hangs on.
"""

import enum

from splus_session._value import value


class FailureKind(enum.Enum):
    """What went wrong, from the session's point of view."""

    # The platform's answer
    REFUSED = "refused"
    """It does not accept what was presented (400100 at login or renewal, other 4xx)."""
    UNAUTHORIZED = "unauthorized"
    """It does not know the access token (401 to a verification or a revocation)."""
    BANNED = "banned"
    DELETED = "deleted"
    RATE_LIMITED = "rateLimited"
    UNAVAILABLE = "unavailable"
    """It is ailing (5xx)."""
    UNREACHABLE = "unreachable"
    """No answer: refused, reset, timed out. The request may or may not have been carried out."""
    MALFORMED = "malformed"
    """The answer makes no sense."""
    WRONG_USER = "wrongUser"
    """The answer is about another user."""
    EXPIRED_ON_ARRIVAL = "expiredOnArrival"
    """The token it brought is already dead by the platform's clock."""

    # The app's handler
    UNABLE = "unable"
    """The handler could not get a token, raised, or answered nonsense."""
    NO_ANSWER = "noAnswer"
    """The handler did not answer in time."""
    NO_HANDLER = "noHandler"
    """Nobody can renew: no handler is registered."""

    # The session itself
    CANCELLED = "cancelled"
    """The caller gave up."""
    LOGGED_OUT = "loggedOut"
    SUPERSEDED = "superseded"
    """A secure logout or the token's expiry took its place."""

    __hash__ = object.__hash__


@value
class Failure:
    """One failure: what happened, and what the platform said of it."""

    kind: FailureKind
    status: int | None = None
    """The HTTP status, where there was an answer."""
    code: int | None = None
    """The platform's own code, such as 400100."""
    retry_after: float | None = None
    """Seconds the platform asks to wait (`Retry-After`)."""


RETRYABLE = frozenset(
    {
        FailureKind.UNREACHABLE,
        FailureKind.UNAVAILABLE,
        FailureKind.RATE_LIMITED,
        FailureKind.MALFORMED,
    }
)
"""Failures that may pass by themselves: the same request is worth sending again. [RENEW-7]"""
