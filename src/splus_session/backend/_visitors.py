"""Signs visitors' device ids, as the platform checks them. [BACKEND-3]"""

import hmac
from datetime import UTC, datetime, timedelta

from splus_session import _arguments
from splus_session._config import Limits
from splus_session._credentials import MAX_TIME
from splus_session._errors import InvalidArgumentError
from splus_session._secrets import AuthSignature, Sealed, VisitorSecret
from splus_session._value import value

__all__ = ["VisitorSignature", "sign_visitor"]


@value
class VisitorSignature:
    """What a visitor shows at login and renewal, both parts to the letter."""

    signature: AuthSignature
    expires_at: str
    """ISO 8601, as it was signed."""


def sign_visitor(
    device_id: str,
    visitor_secret: VisitorSecret | str,
    expires_at: float,
    *,
    limits: Limits | None = None,
) -> VisitorSignature:
    """Vouch for a visitor's device until a time. [BACKEND-3]

    The signature is the HMAC-SHA256, in hexadecimal, of `deviceId={id}&authSignatureExpiresAt={time}`.

    Args:
        device_id: of the visitor's device, as the app tells it.
        visitor_secret: the secret that you and the platform share.
        expires_at: UTC seconds; the platform reads whole milliseconds.
        limits: the platform's limits, if it has changed them. [LOGIN-10]

    Raises:
        InvalidArgumentError: no device id or secret, a device id that could be read as one with
            another expiry (it has a `&` in it), or no time between 1970 and the year 9999.
    """
    sealed = Sealed(visitor_secret)
    del visitor_secret  # or the traceback of a refusal would show it
    secret = _arguments.secret(VisitorSecret, sealed)
    device_id = _arguments.device_id(device_id, limits or Limits())
    if "&" in device_id or not device_id.isprintable():  # half a surrogate pair isn't printable either
        raise InvalidArgumentError("a device id has printable characters only, and no '&'")
    until = _as_javascript_says(expires_at)
    message = f"deviceId={device_id}&authSignatureExpiresAt={until}".encode()
    return VisitorSignature(AuthSignature(hmac.digest(_bytes(secret), message, "sha256").hex()), until)


def _bytes(secret: VisitorSecret) -> bytes:
    # Total: the error about half a surrogate pair would have the secret in it.
    return secret.reveal().encode(errors="surrogatepass")


def _as_javascript_says(seconds: float) -> str:
    """A time as JavaScript's `toISOString` writes it: `2023-11-14T22:13:20.500Z`."""
    # NaN compares false; what is checked is what is written, after rounding.
    milliseconds = round(seconds * 1000) if 0 <= seconds < MAX_TIME else -1
    if not 0 <= milliseconds < MAX_TIME * 1000:
        raise InvalidArgumentError(f"expires_at is no time between 1970 and the year 9999: {seconds!r}")
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
