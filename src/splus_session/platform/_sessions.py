"""Reads the session that the platform grants to a login or a renewal: whose, and how long.

Every piece of the answer is checked before it is believed [SECRET-3], and the token it carries is
given back whatever else is wrong, so that nobody's token stays alive unknown to all [LOGIN-6].
"""

from typing import Final

from splus_session._credentials import Credential, credential_from_jwt
from splus_session._errors import InvalidAccessTokenError, InvalidArgumentError
from splus_session._failures import FailureKind
from splus_session._secrets import AccessToken
from splus_session.platform import _parse as parse
from splus_session.platform._endpoint import HEADER_SAFE

# The platform's raw users carry the first, those that its SDKs have been at the second.
_BANNED: Final = ("isGlobalBan", "isGlobalBanned")


def session(
    asked_for: str | None, parsed: dict[str, object], now: float, kind: FailureKind | None
) -> tuple[FailureKind | None, Credential | None]:
    """Read the answer to a login or renewal, with what the table made of it so far.

    A token that comes with any failure is given too, so that it can be revoked. [LOGIN-6]
    """
    token = _token(parsed.get("accessToken"))
    user_id, user = _user(asked_for, parsed, token, now)
    if kind is None:
        kind = _objection(asked_for, user_id, user)
    if token is None:
        return kind or FailureKind.MALFORMED, None
    if kind is None and user_id is not None:
        credential = _credential(token, user_id, parsed, now)
        if credential is not None:
            return None, credential
    # Its times don't matter any more, so they need not make sense.
    return kind or FailureKind.MALFORMED, Credential(token, user_id or asked_for or "unknown", 0.0)


def _objection(asked_for: str | None, user_id: str | None, user: dict[str, object]) -> FailureKind | None:
    """What speaks against a session that the platform seems to grant. [LOGIN-5] [LOGIN-6]"""
    if user_id is None:
        return FailureKind.MALFORMED
    if asked_for is not None and user_id != asked_for:
        return FailureKind.WRONG_USER
    if user.get("isDeleted"):
        return FailureKind.DELETED
    if any(user.get(flag) for flag in _BANNED):
        return FailureKind.BANNED
    return None


def _user(
    asked_for: str | None, parsed: dict[str, object], token: AccessToken | None, now: float
) -> tuple[str | None, dict[str, object]]:
    """Whose session this is, and what the answer says of that user.

    The answer lists users by their public ids; the one asked for counts, or else the first. Where
    it lists none, the token itself tells.
    """
    users = [
        (user_id, user)
        for user in parse.objects(parsed.get("users"))
        if (user_id := _name(user.get("userId"))) is not None
    ]
    if users:
        return next((entry for entry in users if entry[0] == asked_for), users[0])
    try:
        return (None if token is None else _name(credential_from_jwt(token, now).user_id)), {}
    except InvalidAccessTokenError:
        return None, {}


def _credential(token: AccessToken, user_id: str, parsed: dict[str, object], now: float) -> Credential | None:
    """The credential, or None if its times make no sense. [EXPIRE-4]"""
    issued, expires = parsed.get("issuedAt"), parsed.get("expiresAt")
    expires_at = None if expires is None else parse.iso_time(expires)
    if issued is not None:
        issued_at = parse.iso_time(issued)
    else:
        # The time of the answer; the expiry, if even that is past: the core says so then.
        issued_at = now if expires_at is None else min(now, expires_at)
    try:
        return Credential(token, user_id, issued_at, expires_at)
    except InvalidArgumentError:
        return None


def _token(text: object) -> AccessToken | None:
    if not isinstance(text, str) or len(text) > AccessToken.max_length:
        return None
    return AccessToken(text) if HEADER_SAFE.fullmatch(text) else None


def _name(text: object) -> str | None:
    """A user id that can be stored and sent: not empty, no half of a surrogate pair."""
    if not isinstance(text, str) or text.encode(errors="replace").decode() != text:
        return None
    return text or None
