"""Every error of the library, sorted by whose move it is.

    SplusSessionError
    ├── CallerError                    yours: the call was wrong, nothing was sent, nothing changed
    │   ├── InvalidArgumentError         a value no session can work with (also a ValueError)
    │   │   └── ConfigurationError         … given when something was made
    │   ├── MissingExtraError            an optional part that was not installed (also an ImportError)
    │   ├── InvalidHandlerError          a handler or hook of the wrong shape (also a TypeError)
    │   ├── NotAllowedError              this request is not possible in this state
    │   ├── AuthTokenRequiredError       production login without an auth token
    │   ├── HandlerRequiredError         nobody is registered to renew the token (also a
    │   │                                NotAuthorizedError)
    │   ├── InvalidAccessTokenError      the access token is not a JWT, names no user, or is expired
    │   ├── SessionClosed                the session object was closed, or its event loop ended
    │   └── ForkedSessionError           the session object came through a fork
    ├── PlatformError                  theirs: the platform or the way to it
    │   ├── RefusedError                 it does not accept what was presented
    │   ├── UserBannedError              it banned the user
    │   ├── UserDeletedError             it deleted the user
    │   ├── UnavailableError             out of reach, ailing, or too busy: retryable
    │   └── MalformedAnswerError         its answer makes no sense, or is about somebody else
    ├── NotAuthorizedError             no header to give
    │   ├── NotLoggedInError             nobody is logged in
    │   ├── SessionTerminatedError       the platform ended the session
    │   ├── RenewalFailedError           the token is dead and its renewal failed; see `retry_at`
    │   └── WaitTimeoutError             no header within the bound: retryable
    ├── InterruptedByError             something else ended what was waited for (logout, cancellation)
    ├── StoreError                     the store could not read, write or delete
    │   └── StoredRecordError            what it holds is damaged, foreign, or of a future version
    └── ChartError                     ours: a chart that cannot be compiled

Each has a stable `code`, `retryable`, and the session's `state` where there is one. No message
holds a secret.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from splus_session._failures import Failure
    from splus_session._states import SessionState, TerminationReason


class SplusSessionError(Exception):
    """The root of the library's errors.

    Attributes:
        code: a stable word for programs, such as `"not_allowed"`.
        retryable: whether the same call may succeed later with nothing changed.
        state: where the session was, if the error is about a session.
        retry_at: when trying again makes sense (UTC seconds), if that is known.
        failure: what the platform or the handler said, if it is about that.
    """

    code: ClassVar[str] = "error"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        state: "SessionState | None" = None,
        failure: "Failure | None" = None,
        retry_at: float | None = None,
    ) -> None:
        super().__init__(message)
        self.state = state
        self.failure = failure
        self.retry_at = retry_at


class CallerError(SplusSessionError):
    """The call was wrong: nothing was sent and nothing changed."""

    code = "caller_error"


class InvalidArgumentError(CallerError, ValueError):
    """A value that no session can work with."""

    code = "invalid_argument"


class ConfigurationError(InvalidArgumentError):
    """A session, configuration or endpoint cannot be made from this. [CLIENT-1]"""

    code = "configuration"


class MissingExtraError(CallerError, ImportError):
    """An optional part of the library that was not installed. The message says how to.

    Attributes:
        extra: what the part is called.
    """

    code = "missing_extra"

    def __init__(self, extra: str) -> None:
        self.extra = extra
        super().__init__(f"this needs the extra {extra!r}: pip install 'splus-session[{extra}]'")


class InvalidHandlerError(CallerError, TypeError):
    """A handler or hook of the wrong shape. [HANDLER-2] [HOOK-2]"""

    code = "invalid_handler"


class NotAllowedError(CallerError):
    """This request is not possible in this state. `allowed` names what is. [LOGIN-1]

    Attributes:
        request: what was asked for, such as `"login"`.
        allowed: the requests that are possible, in the alphabet's order.
    """

    code = "not_allowed"

    def __init__(
        self, request: str, state: "SessionState", allowed: Iterable[str], why: str | None = None
    ) -> None:
        self.request = request
        self.allowed = tuple(sorted(allowed))
        because = f" ({why})" if why else ""
        super().__init__(
            f"{request} is not possible while {state.value}{because}; "
            f"possible here: {', '.join(self.allowed)}",
            state=state,
        )


class AuthTokenRequiredError(CallerError):
    """Production login needs an auth token from your backend. [LOGIN-4]"""

    code = "auth_token_required"


class InvalidAccessTokenError(CallerError):
    """The access token is not a JWT, names no user, or is expired. Nothing was sent. [LOGIN-7]"""

    code = "invalid_access_token"


class SessionClosed(CallerError):  # noqa: N818  the catalogue's own word (CLIENT-3)
    """The session object was closed, or the loop that owned it ended. The login lives on. [CLIENT-3]"""

    code = "closed"


class ForkedSessionError(CallerError):
    """The session object was made before a fork; open a new one in this process. [CLIENT-3]"""

    code = "forked"


class PlatformError(SplusSessionError):
    """The platform refused, failed, or could not be reached."""

    code = "platform_error"


class RefusedError(PlatformError):
    """The platform does not accept what was presented."""

    code = "refused"


class UserBannedError(PlatformError):
    """The platform banned the user. [LOGIN-5]"""

    code = "user_banned"


class UserDeletedError(PlatformError):
    """The platform deleted the user. [LOGIN-5]"""

    code = "user_deleted"


class UnavailableError(PlatformError):
    """The platform is out of reach, ailing, or too busy. The same call may work later."""

    code = "unavailable"
    retryable = True


class MalformedAnswerError(PlatformError):
    """The platform's answer makes no sense, or is about somebody else. [SECRET-3]"""

    code = "malformed_answer"


class NotAuthorizedError(SplusSessionError):
    """The session has no header to give. [EXPIRE-5]"""

    code = "not_authorized"


class NotLoggedInError(NotAuthorizedError):
    """Nobody is logged in."""

    code = "not_logged_in"


class SessionTerminatedError(NotAuthorizedError):
    """The platform ended the session; `reason` says why. Only logout leads out. [BAN-4]

    Attributes:
        reason: whether the user was banned or deleted.
    """

    code = "terminated"

    def __init__(self, message: str, *, state: "SessionState", reason: "TerminationReason") -> None:
        super().__init__(message, state=state)
        self.reason = reason


class HandlerRequiredError(CallerError, NotAuthorizedError):
    """Nobody is registered to renew this kind of session. [LOGIN-7] [RENEW-12] [RESUME-1]"""

    code = "handler_required"


class RenewalFailedError(NotAuthorizedError):
    """The token is dead and its renewal failed. `retry_at` says when the session asks again. [EXPIRE-5]"""

    code = "renewal_failed"

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """Whether the session will try again by itself."""
        return self.retry_at is not None


class WaitTimeoutError(NotAuthorizedError, TimeoutError):
    """No header became available within the bound. [EXPIRE-5]"""

    code = "wait_timeout"
    retryable = True


class InterruptedByError(SplusSessionError):
    """Something else ended what was waited for: a logout, a cancellation. [LOGIN-9] [LOGOUT-4]"""

    code = "interrupted"


class StoreError(SplusSessionError):
    """The store could not read, write or delete; the message says what may remain. [LOGOUT-1]"""

    code = "store"


class StoredRecordError(StoreError):
    """The stored session is damaged, foreign, or of a future version; it is kept aside. [RESUME-1]"""

    code = "stored_record"


class ChartError(SplusSessionError):
    """A chart that the flat table cannot hold, or that names what nobody defines."""

    code = "chart"
