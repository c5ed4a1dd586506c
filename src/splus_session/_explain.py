"""Failures, refusals and denials as exceptions: the words a caller reads.

A driver raises these at the very end, in a fresh frame. No message holds a secret. [SECRET-1]
"""

from splus_session._core import NOT_ALLOWED, Denied, allowed_in
from splus_session._errors import (
    AuthTokenRequiredError,
    HandlerRequiredError,
    InterruptedByError,
    InvalidAccessTokenError,
    MalformedAnswerError,
    NotAllowedError,
    NotAuthorizedError,
    NotLoggedInError,
    RefusedError,
    RenewalFailedError,
    SessionTerminatedError,
    SplusSessionError,
    UnavailableError,
    UserBannedError,
    UserDeletedError,
)
from splus_session._events import event_name
from splus_session._failures import Failure, FailureKind
from splus_session._snapshot import Step
from splus_session._states import SessionState

_ERRORS: dict[FailureKind, tuple[type[SplusSessionError], str]] = {
    FailureKind.REFUSED: (RefusedError, "the platform does not accept it"),
    FailureKind.UNAUTHORIZED: (RefusedError, "the platform does not know the access token"),
    FailureKind.BANNED: (UserBannedError, "the platform banned the user"),
    FailureKind.DELETED: (UserDeletedError, "the platform deleted the user"),
    FailureKind.RATE_LIMITED: (UnavailableError, "the platform asks to slow down"),
    FailureKind.UNAVAILABLE: (UnavailableError, "the platform is ailing"),
    FailureKind.UNREACHABLE: (UnavailableError, "the platform did not answer"),
    FailureKind.MALFORMED: (MalformedAnswerError, "the platform's answer makes no sense"),
    FailureKind.WRONG_USER: (MalformedAnswerError, "the token is another user's"),
    FailureKind.EXPIRED_ON_ARRIVAL: (MalformedAnswerError, "the token was expired on arrival"),
    FailureKind.UNABLE: (RenewalFailedError, "the handler could not get what is needed"),
    FailureKind.NO_ANSWER: (RenewalFailedError, "the handler did not answer in time"),
    FailureKind.NO_HANDLER: (HandlerRequiredError, "no handler is registered to renew the session"),
    FailureKind.CANCELLED: (InterruptedByError, "it was cancelled"),
    FailureKind.LOGGED_OUT: (InterruptedByError, "a logout came first"),
    FailureKind.SUPERSEDED: (InterruptedByError, "something else took its place"),
}


def describe(failure: Failure, origin: str | None = None) -> str:
    """A failure in words: what happened, and what the platform said.

    Args:
        failure: what happened.
        origin: where the platform was asked, if that is known.
    """
    words = _ERRORS[failure.kind][1]
    if failure.kind is FailureKind.UNREACHABLE and origin is not None:
        words += f" at {origin}"
    said = [f"status {failure.status}"] if failure.status is not None else []
    said += [f"code {failure.code}"] if failure.code is not None else []
    return f"{words} ({', '.join(said)})" if said else words


def failed(
    what: str,
    failure: Failure,
    state: SessionState,
    retry_at: float | None = None,
    origin: str | None = None,
) -> SplusSessionError:
    """The error for a login, renewal or secure logout that came to nothing. [LOGIN-3] [LOGOUT-3]

    Args:
        what: in words.
        failure: what became of it.
        state: where the session is now.
        retry_at: when trying again makes sense (UTC seconds), if that is known.
        origin: where the platform was asked, if that is known.
    """
    error = _ERRORS[failure.kind][0]
    words = f"{what} failed: {describe(failure, origin)}"
    return error(words, state=state, failure=failure, retry_at=retry_at)


def denied(verdict: Denied) -> NotAuthorizedError | HandlerRequiredError:
    """The error for a caller who needs a header when there is none. [EXPIRE-5]"""
    state, failure = verdict.state, verdict.failure
    if verdict.reason is not None:
        return SessionTerminatedError(
            f"the platform ended the session: {verdict.reason.value}",
            state=state,
            reason=verdict.reason,
        )
    if state is SessionState.NOT_LOGGED_IN:
        return NotLoggedInError("nobody is logged in", state=state)
    if failure is not None and failure.kind is FailureKind.NO_HANDLER:
        return HandlerRequiredError(
            "the access token is expired and no handler is registered to renew it",
            state=state,
            failure=failure,
        )
    why = describe(failure) if failure is not None else "not tried yet"
    return RenewalFailedError(
        f"the access token is expired and its renewal failed: {why}",
        state=state,
        failure=failure,
        retry_at=verdict.retry_at,
    )


def refused(step: Step) -> SplusSessionError:
    """The error for a request that the table refused. [LOGIN-1]"""
    request, state = event_name(step.event), step.before.state
    # Resuming is what opening a session does; there is no method to call for it.
    allowed = allowed_in(state) - {"resume"}
    match step.dropped:
        case "has_auth_token_or_development":
            return AuthTokenRequiredError(
                "production login needs an auth token from your backend; "
                "development=True allows a user id alone",
                state=state,
            )
        case "has_access_token_handler":
            return HandlerRequiredError(
                "register an access token handler before login_with_access_token", state=state
            )
        case "presents_live_token":
            return InvalidAccessTokenError("the access token is expired", state=state)
        case "record_is_renewable":
            return HandlerRequiredError(
                "the stored session is expired and no handler is registered to renew it; "
                "it was left as it is",
                state=state,
            )
        case "is_renewable":
            return HandlerRequiredError("no handler is registered to renew the session", state=state)
        case "not is_revoking":
            return NotAllowedError(request, state, allowed, "a secure logout is on its way")
        case why:
            words = None if why in (None, NOT_ALLOWED) else why
            return NotAllowedError(request, state, allowed, words)
