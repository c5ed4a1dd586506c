"""What is presented to the platform (grants), and what an established session holds (a credential)."""

import enum
import math
from typing import Any, TypeGuard, cast

import attrs

from splus_session._errors import InvalidAccessTokenError, InvalidArgumentError
from splus_session._secrets import AccessToken, AuthSignature, AuthToken
from splus_session._value import value


class SessionKind(enum.Enum):
    """How a session was logged in; decides who renews it, and where. [LOGIN-8] [RENEW-12]"""

    AUTH_TOKEN = "authToken"
    DEVELOPMENT = "development"
    ACCESS_TOKEN = "accessToken"
    VISITOR = "visitor"
    SIGNED_VISITOR = "signedVisitor"
    BOT = "bot"

    __hash__ = object.__hash__


@value
class AuthTokenGrant:
    """A user, vouched for by the customer's backend."""

    user_id: str
    auth_token: AuthToken
    display_name: str | None = None


@value
class UserIdGrant:
    """A user id alone: development, and a renewal that the handler answers with `renew()`."""

    user_id: str
    display_name: str | None = None


@value
class AccessTokenGrant:
    """An access token that the customer's backend issued; the platform verifies it."""

    credential: "Credential"


@value
class VisitorGrant:
    """This device, optionally signed by the customer's backend. [LOGIN-8]"""

    signature: AuthSignature | None = None
    signature_expires_at: str | None = None
    """ISO 8601, to the letter as it was signed."""


@value
class BotGrant:
    """This device, as a bot."""


Grant = AuthTokenGrant | UserIdGrant | AccessTokenGrant | VisitorGrant | BotGrant
"""What a login or a renewal presents."""

MAX_TIME = 253_402_300_800.0
"""The end of the year 9999, in UTC seconds: no time beyond it is believed. [EXPIRE-4]"""


def _is_time(number: object) -> TypeGuard[float]:
    return (
        isinstance(number, int | float)
        and not isinstance(number, bool)
        and -MAX_TIME <= number <= MAX_TIME  # false for NaN and infinities
    )


def _is_a(something: object, kind: type) -> bool:
    return isinstance(something, kind)


@attrs.frozen(weakref_slot=False)
class Credential:
    """What an established session holds. Times are UTC seconds by the platform's clock.

    Raises:
        InvalidArgumentError: a time that is no finite number or beyond the year 9999, an expiry
            before the issue, or an empty user id. [EXPIRE-4]
    """

    access_token: AccessToken
    user_id: str
    issued_at: float
    expires_at: float | None = None
    """None: it never expires by the clock; only a rejection ends it."""

    def __init__(
        self, access_token: AccessToken, user_id: str, issued_at: float, expires_at: float | None = None
    ) -> None:
        if not _is_a(access_token, AccessToken):
            # It may be a raw token, and leaves this frame before an error shows it in a traceback. So
            # does what cannot be shown yet.
            del access_token, self
            raise InvalidArgumentError("a credential's access token is an AccessToken")
        cast("Any", self).__attrs_init__(
            access_token, user_id, issued_at, expires_at
        )  # under which name attrs keeps its own

    def __attrs_post_init__(self) -> None:
        # Not attrs' own validators: theirs put the value in the message.
        if not _is_a(self.user_id, str) or not self.user_id:
            raise InvalidArgumentError("a credential names its user")
        if not _is_time(self.issued_at):
            raise InvalidArgumentError(f"issued_at is no time: {self.issued_at!r}")
        if self.expires_at is not None:
            if not _is_time(self.expires_at):
                raise InvalidArgumentError(f"expires_at is no time: {self.expires_at!r}")
            if self.expires_at < self.issued_at:
                raise InvalidArgumentError("expires_at lies before issued_at")

    @property
    def lifetime(self) -> float:
        """Seconds from issue to expiry; infinite if it never expires."""
        return math.inf if self.expires_at is None else self.expires_at - self.issued_at


@value
class Record:
    """What a store keeps of a session: enough to resume it without a login. [RESUME-1] [RESUME-2]"""

    kind: SessionKind
    credential: Credential
    expired: bool
    """Whether the session was told to be `tokenExpired`. It stays so even if the clock steps back."""
    offset: float = 0.0
    """The platform's clock less ours, in seconds, as last learned."""


def credential_from_jwt(token: AccessToken, now: float) -> Credential:
    """Read whose a JWT is and when it dies, without verifying it: that is the platform's part. [LOGIN-7]

    Args:
        token: the JWT; `user.publicUserId`, `user.userId` or `userId` names the user, `iat` and
            `exp` (UTC seconds) its times.
        now: the platform's present time, taken as the issue time where `iat` is missing.

    Raises:
        InvalidAccessTokenError: not a JWT, no user id, or times that make no sense.
    """
    # An error's traceback shows this frame, so that of the claims only these get here. [SECRET-1]
    read = _whose_and_when(token)
    if isinstance(read, str):
        raise InvalidAccessTokenError(f"the access token {read}")
    user_id, issued_at, expires_at = read
    if issued_at is None:
        issued_at = now if expires_at is None else min(now, expires_at)
    try:
        return Credential(token, user_id, issued_at, expires_at)
    except InvalidArgumentError as error:
        problem = str(error)
    raise InvalidAccessTokenError(f"the access token's times make no sense: {problem}")


def _whose_and_when(token: AccessToken) -> tuple[str, float | None, float | None] | str:
    """A JWT's user, issue and expiry, or what is wrong with it. Raises nothing."""
    claims = _claims(token)
    if claims is None:
        return "is not a JWT"
    named = _object(claims.get("user")) or {}
    user_id = named.get("publicUserId") or named.get("userId") or claims.get("userId")
    if not isinstance(user_id, str) or not user_id:
        return "does not name its user"
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    # Not quoted: what is there instead may be anything.
    if not (issued_at is None or _is_time(issued_at)):
        return "says when it was issued, but that is no time"
    if not (expires_at is None or _is_time(expires_at)):
        return "says when it expires, but that is no time"
    return user_id, issued_at, expires_at


def _claims(token: AccessToken) -> dict[str, object] | None:
    import base64  # here, with json and re: only access-token sessions read a token
    import json
    import re

    # Three parts in base64url, and nothing that no header can carry.
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]*", token.reveal(), re.ASCII):
        return None
    payload = token.reveal().split(".")[1]
    try:
        return _object(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    except (ValueError, RecursionError):
        return None


def _object(json_value: object) -> dict[str, object] | None:
    return cast("dict[str, object]", json_value) if isinstance(json_value, dict) else None
