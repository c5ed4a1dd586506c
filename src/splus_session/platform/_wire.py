"""The platform's session API as values: what to send, and what an answer means. No I/O.

A `Request` holds its secrets wrapped; `headers()` and `body()` unwrap them at the last moment, for
an argument and not for a variable. `read` turns any answer into an `Answer` and never raises.

The platform offers to set the access token as a cookie too (`set-access-token-cookie`), as its
own SDKs for browsers ask it to. We don't: a token in a cookie jar outlives the logout [LOGOUT-5],
and one in a `Set-Cookie` header is shown by any HTTP library that logs headers [SECRET-1].
"""

import functools
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from typing import Final

import attrs

from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Credential,
    Grant,
    UserIdGrant,
    VisitorGrant,
)
from splus_session._events import ServerClock
from splus_session._failures import Failure, FailureKind
from splus_session._secrets import AccessToken, ApiKey, Secret
from splus_session._value import value
from splus_session.platform import _parse as parse
from splus_session.platform._endpoint import HEADER_SAFE
from splus_session.platform._meanings import Call, meaning
from splus_session.platform._sessions import session
from splus_session.ports import Answer

MAX_BODY: Final = 1 << 20
"""The longest answer that is read, in bytes. [SECRET-3]"""

# The platform knows ios, android, web and node. Every SDK of its own that is no phone's says web,
# in Node.js too, so that is what it is used to; `model` says what we are.
_KIND: Final = "web"

UNREACHABLE: Final = Answer(failure=Failure(FailureKind.UNREACHABLE))
"""No answer, or not all of it: the request may or may not have been carried out."""


@value
class Request:
    """One request to the platform, its secrets still wrapped."""

    call: Call
    method: str
    path: str
    api_key: ApiKey | None = None
    access_token: AccessToken | None = None
    fields: Mapping[str, object] | None = None
    """The JSON body; a `Secret` in it is unwrapped by `body`, a None left out."""
    user_id: str | None = None
    """Whose session the answer must be; None if the platform chooses."""
    credential: Credential | None = None
    """What a verification that stands for a login gives back."""

    @property
    def is_sendable(self) -> bool:
        """Whether a header can carry the access token. One that the app brought may be anything."""
        token = self.access_token
        return token is None or HEADER_SAFE.fullmatch(token.reveal()) is not None

    def headers(self) -> dict[str, str]:
        """The headers, secrets unwrapped: for immediate use."""
        return {
            "accept": "application/json",
            # No compression: a body's bound holds for what is received and for what is read.
            "accept-encoding": "identity",
            "user-agent": _software(),
            **({} if self.fields is None else {"content-type": "application/json"}),
            **({} if self.api_key is None else {"x-api-key": self.api_key.reveal()}),
            **(
                {} if self.access_token is None else {"authorization": f"Bearer {self.access_token.reveal()}"}
            ),
        }

    def body(self) -> bytes:
        """The body, secrets unwrapped: for immediate use."""
        if self.fields is None:
            return b""
        present = {name: field for name, field in self.fields.items() if field is not None}
        return json.dumps(present, default=Secret.reveal).encode()


@attrs.frozen
class Reply:
    """One answer of the platform's, as it came."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case, or in any case if the mapping does not care."""
    body: bytes | None = attrs.field(repr=False)
    """None: longer than `MAX_BODY`."""
    sent_at: float
    """When the request left, UTC seconds by our clock."""
    received_at: float
    """When the answer was complete, UTC seconds by our clock."""


class Body:
    """Collects an answer's body as it comes in, no more of it than `MAX_BODY`, and shows nothing."""

    __slots__ = ("_parts", "_room")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._room = MAX_BODY

    def feed(self, part: bytes) -> bool:
        """Take one more part; say whether the whole still fits."""
        self._room -= len(part)
        if self._room < 0:
            self._parts.clear()
            return False
        self._parts.append(part)
        return True

    def whole(self) -> bytes | None:
        """The body, or None if it did not fit."""
        return None if self._room < 0 else b"".join(self._parts)


def open_session(grant: Grant, *, device_id: str, api_key: ApiKey) -> Request:
    """Log in or renew with a grant; each kind has its own endpoint. [LOGIN-8]"""
    who: Mapping[str, object]
    asked_for: str | None = None
    match grant:
        case AccessTokenGrant(credential):
            return attrs.evolve(verify(credential.access_token), call=Call.TOKEN_LOGIN, credential=credential)
        case UserIdGrant(asked_for, display_name):
            path, who = "/api/v5/sessions", {"userId": asked_for, "displayName": display_name}
        case AuthTokenGrant(asked_for, auth_token, display_name):
            path = "/api/v5/sessions"
            who = {"userId": asked_for, "displayName": display_name, "authToken": auth_token}
        case VisitorGrant(signature, expires_at):
            path = "/api/v5/sessions/visitor"
            who = {"authSignature": signature, "authSignatureExpiresAt": expires_at}
        case BotGrant():
            path, who = "/api/v5/sessions/bot", {}
    fields = {**who, "deviceId": device_id, "deviceInfo": _device_info()}
    return Request(Call.LOGIN, "POST", path, api_key=api_key, fields=fields, user_id=asked_for)


def verify(access_token: AccessToken) -> Request:
    """Ask whether a token is alive. [EXPIRE-3]"""
    return Request(Call.VERIFY, "GET", "/api/v3/sessions", access_token=access_token)


def revoke(access_token: AccessToken) -> Request:
    """Void a token. [LOGOUT-3]"""
    return Request(Call.REVOKE, "DELETE", "/api/v4/sessions", access_token=access_token)


def unsendable(asked: Request) -> Answer:
    """The answer to a request that is not `is_sendable`: what a 401 would mean.

    No platform issued such a token. It is not sent in vain, since HTTP libraries log a header
    that they refuse. [SECRET-1]
    """
    kind = meaning(asked.call, 401, None)
    return Answer(failure=None if kind is None else Failure(kind))


def read(asked: Request, reply: Reply) -> Answer:
    """What an answer to `asked` means. Never raises: what makes no sense is a failure. [SECRET-3]"""
    parsed = parse.document(reply.body)
    code = parse.code(parsed)
    date = parse.http_date(reply.headers.get("date"))
    now = reply.received_at if date is None else date
    kind = meaning(asked.call, reply.status, code)
    credential = asked.credential
    if asked.call is Call.LOGIN:
        kind, credential = session(asked.user_id, parsed or {}, now, kind)
    elif kind is None and asked.call is Call.REVOKE:
        kind = _revoked(parsed)
    elif kind is None:
        kind = _verified(reply.body, parsed)
    wait = parse.retry_after(reply.headers.get("retry-after"), now)
    return Answer(
        credential=credential,
        failure=None if kind is None else Failure(kind, reply.status, code, wait),
        clock=None if date is None else ServerClock(date, reply.sent_at),
    )


def _verified(body: bytes | None, parsed: dict[str, object] | None) -> FailureKind | None:
    # The status is the answer; a body is optional, and `OK` is what web frameworks put there.
    return None if parsed is not None or body in (b"", b"OK") else FailureKind.MALFORMED


def _revoked(parsed: dict[str, object] | None) -> FailureKind | None:
    success = None if parsed is None else parsed.get("success")
    if success is True:
        return None
    return FailureKind.REFUSED if success is False else FailureKind.MALFORMED


@functools.cache
def _software() -> str:
    return f"splus-session/{importlib.metadata.version('splus-session')}"


@functools.cache
def _device_info() -> dict[str, str]:
    model = f"Python {platform.python_version()} {platform.system()}"
    return {"kind": _KIND, "model": model[:100], "sdkVersion": _software()[:30]}
