"""What handlers are given, and what their answers mean: the same for every driver."""

import logging
import os
import sysconfig
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from splus_session import _arguments
from splus_session._config import Limits
from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    Grant,
    SessionKind,
    VisitorGrant,
    credential_from_jwt,
)
from splus_session._errors import InvalidArgumentError, SplusSessionError
from splus_session._events import RenewalAnswered, RenewalUnable
from splus_session._rules import unaided_grant
from splus_session._secrets import AccessToken, AuthSignature, AuthToken, Sealed
from splus_session._snapshot import Snapshot
from splus_session.ports import AccessTokenHandler, SessionHandler

logger = logging.getLogger("splus_session")

_VISITORS = frozenset({SessionKind.VISITOR, SessionKind.SIGNED_VISITOR})


class HandlersRenewal:
    """Implements `ports.Renewal`. Which answer counts is the core's to say. [RENEW-5]"""

    __slots__ = ("_attempt", "_kind", "_limits", "_post", "_user_id")

    def __init__(
        self,
        attempt: int,
        kind: SessionKind,
        user_id: str,
        limits: Limits,
        post: Callable[[RenewalAnswered | RenewalUnable], object],
    ) -> None:
        """Make the object for one attempt; `post` takes the answer."""
        self._attempt = attempt
        self._kind = kind
        self._user_id = user_id
        self._limits = limits
        self._post = post

    def __repr__(self) -> str:
        return f"<Renewal {self._attempt} of {self._user_id!r}>"

    @property
    def user_id(self) -> str:
        """See `ports.Renewal.user_id`."""
        return self._user_id

    def renew(self) -> None:
        """See `ports.Renewal.renew`."""
        self._answer(unaided_grant(self._kind, self._user_id))

    def renew_with_auth_token(self, auth_token: AuthToken | str) -> None:
        """See `ports.Renewal.renew_with_auth_token`."""
        sealed = Sealed(auth_token)
        del auth_token
        token = _arguments.auth_token(sealed, self._limits)
        if token is None:
            raise InvalidArgumentError("renew_with_auth_token takes an auth token")
        if self._kind not in (SessionKind.AUTH_TOKEN, SessionKind.DEVELOPMENT):
            raise InvalidArgumentError(f"a session of kind {self._kind.value} takes no auth token")
        self._answer(AuthTokenGrant(self._user_id, token))

    def unable_to_retrieve_auth_token(self) -> None:
        """See `ports.Renewal.unable_to_retrieve_auth_token`."""
        self._post(RenewalUnable(self._attempt))

    def renew_with_auth_signature(self, signature: AuthSignature | str, expires_at: str) -> None:
        """See `ports.Renewal.renew_with_auth_signature`."""
        sealed = Sealed(signature)
        del signature
        wrapped = _arguments.secret(AuthSignature, sealed)
        if self._kind not in _VISITORS:
            raise InvalidArgumentError(f"a session of kind {self._kind.value} takes no signature")
        self._answer(VisitorGrant(wrapped, _arguments.expires_at(expires_at)))

    def unable_to_retrieve_auth_signature(self) -> None:
        """See `ports.Renewal.unable_to_retrieve_auth_signature`."""
        self._post(RenewalUnable(self._attempt))

    def _answer(self, grant: Grant) -> None:
        self._post(RenewalAnswered(self._attempt, grant))


class Question(NamedTuple):
    """What to call to have a renewal answered."""

    function: Callable[[Any], Any]
    argument: object
    returns_token: bool
    """Whether what it returns is the answer, rather than what it does with its argument."""
    user_id: str


def question(
    attempt: int,
    snapshot: Snapshot,
    session_handler: SessionHandler | None,
    access_token_handler: AccessTokenHandler | None,
    limits: Limits,
    post: Callable[[RenewalAnswered | RenewalUnable], object],
) -> Question | RenewalUnable | None:
    """Whom to ask for a renewal, and how.

    Returns:
        What to call; or that nobody is there to be asked; or None if the renewal is over already,
        so that nobody need be asked. [BAN-4]
    """
    renewal, kind, user_id = snapshot.renewal, snapshot.kind, snapshot.user_id
    if renewal is None or renewal.attempt != attempt or kind is None or user_id is None:
        return None
    if kind is SessionKind.ACCESS_TOKEN:
        if access_token_handler is None:
            return RenewalUnable(attempt)
        return Question(access_token_handler.on_token_renew, user_id, True, user_id)
    if session_handler is None:
        return RenewalUnable(attempt)
    argument = HandlersRenewal(attempt, kind, user_id, limits, post)
    return Question(session_handler.session_will_renew_access_token, argument, False, user_id)


def token_answer(attempt: int, user_id: str, sealed: Sealed, now: float) -> RenewalAnswered | RenewalUnable:
    """What an access token handler's answer means: something to present, or nothing of use. [RENEW-10]

    Args:
        attempt: the renewal's number.
        user_id: whose token it must be.
        sealed: the answer.
        now: the platform's present time.

    Raises:
        SplusSessionError: it is no access token at all; that too counts as *unable*. [RENEW-6]
    """
    credential = credential_from_jwt(_arguments.secret(AccessToken, sealed), now)
    if credential.user_id != user_id:
        logger.warning("the access token handler answered with another user's token")
        return RenewalUnable(attempt)
    return RenewalAnswered(attempt, AccessTokenGrant(credential))


def handler_returned(attempt: int, sealed: Sealed, snapshot: Snapshot) -> RenewalUnable | None:
    """A session handler answers through its argument. One that did not, and returned something instead,
    the token perhaps, would be waited for in vain: it counts as *unable*. [RENEW-6]

    Returns:
        That it is unable; None if it returned nothing, or has answered besides.
    """
    renewal = snapshot.renewal
    is_open = renewal is not None and renewal.attempt == attempt and renewal.grant is None
    if sealed.value is None or not is_open:
        return None
    logger.warning(
        "the session handler returned an object of type %s, which is no answer: "
        "call renewal.renew_with_auth_token(…)",
        type(sealed.value).__name__,
    )
    return RenewalUnable(attempt)


def handler_failed(attempt: int, error: BaseException) -> RenewalUnable:
    """A handler that raises counts as *unable*. [RENEW-6]"""
    # Of an error that is not ours, the message may hold a secret. [SECRET-1]
    said = f": {error}" if isinstance(error, SplusSessionError) else ""
    logger.warning("the handler failed to renew: %s%s%s", type(error).__name__, said, _place(error))
    return RenewalUnable(attempt)


def _place(error: BaseException) -> str:
    """Where the app's own code was when it failed: file and line, and none of a frame's values."""
    ours = os.path.join(os.path.dirname(__file__), "")  # noqa: PTH118 PTH120  names, as frames have them
    installed = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    foreign = [place for place in frames if not place[0].startswith(ours)]
    # An app may be installed as well; then the innermost frame is as good as can be told.
    places = [place for place in foreign if not place[0].startswith(installed)] or foreign
    return " at {}:{}".format(*places[-1]) if places else ""


MANY = 8
"""How many questions a handler may have open, late ones included. It is asked again when it does not
answer in time [RENEW-6], but calls that hang must not pile up without end."""

TOO_MANY = f"the handler has not come back from {MANY} renewals before this one: it is not asked"
