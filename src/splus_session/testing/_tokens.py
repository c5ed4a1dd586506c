"""What the fake platform issues: access tokens (JWTs), with times as a test wants them."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta

import attrs

from splus_session._secrets import AccessToken

MONTH = 30 * 24 * 3600.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class TokenTerms:
    """How an access token is issued. Times are seconds."""

    lifetime: float | None = MONTH
    """None: it never expires, and says nothing of an expiry."""
    age: float = 0.0
    """How long ago it was issued, by its own word: one older than its lifetime arrives expired."""
    tells_issue: bool = True
    """Whether the answer has `issuedAt`, and the token `iat`."""
    tells_expiry: bool = True
    """Whether the answer has `expiresAt`, and the token `exp`. It expires all the same."""
    user_id: str | None = None
    """Whose it is, if not of the user who asked."""


class Mint:
    """Makes JWTs, signed with a key of its own (HS256)."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, claims: dict[str, object]) -> AccessToken:
        """A JWT with these claims."""
        head = f"{_segment({'alg': 'HS256', 'typ': 'JWT'})}.{_segment(claims)}"
        mac = hmac.digest(self._key, head.encode(), hashlib.sha256)
        return AccessToken(f"{head}.{_base64(mac)}")


def claims(
    terms: TokenTerms, issued_at: float, expires_at: float | None, user: dict[str, object]
) -> dict[str, object]:
    """A token's claims, in the platform's form. Times are whole seconds there."""
    times: dict[str, object] = {}
    if terms.tells_issue:
        times["iat"] = int(issued_at)
    if terms.tells_expiry and expires_at is not None:
        times["exp"] = int(expires_at)
    return {"user": user, "jti": secrets.token_hex(8), **times}


def iso(moment: float) -> str:
    """A moment (UTC seconds) as the platform writes it: `2026-07-17T09:30:00.000Z`."""
    text = (_EPOCH + timedelta(seconds=moment)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def from_iso(text: str) -> float | None:
    """The moment (UTC seconds) that ISO 8601 names; None if it names none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None


def _segment(content: object) -> str:
    return _base64(json.dumps(content, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
