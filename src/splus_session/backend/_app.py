"""The endpoints that an app asks, for your own ASGI server. [BACKEND-2] [BACKEND-3]

Paths, fields and words are those of the vendor's examples, so that existing apps find them.
"""

import inspect
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final, TypeGuard, TypeVar, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from splus_session import _arguments
from splus_session._errors import ConfigurationError, InvalidArgumentError, InvalidHandlerError, PlatformError
from splus_session._secrets import Sealed, VisitorSecret
from splus_session.backend._issuer import AuthTokenIssuer
from splus_session.backend._visitors import sign_visitor

__all__ = [
    "Authenticate",
    "VisitorPolicy",
    "auth_token_app",
    "auth_token_route",
    "visitor_signature_route",
]

T = TypeVar("T")

Authenticate = Callable[[Request], Awaitable[str | None] | str | None]
"""Your own authentication: the id of the user who sent this request, or None. It may look at anything
in the request but the user id in its body, which is a claim and no proof. [BACKEND-2]"""

VisitorPolicy = Callable[[Request, str], Awaitable[bool] | bool]
"""Whether to vouch for the visitor who sent this request, with this device id."""

_MAX_BODY: Final = 8_192
_NO_STORE: Final = {"Cache-Control": "no-store"}

_log = logging.getLogger("splus_session.backend")


def auth_token_app(issuer: AuthTokenIssuer, authenticate: Authenticate) -> Starlette:
    """An ASGI app with nothing but `auth_token_route`, to run or to mount. [BACKEND-2]"""
    sealed = Sealed(issuer)
    del issuer  # as below
    return Starlette(routes=[auth_token_route(_issuer_in(sealed), authenticate)])


def auth_token_route(
    issuer: AuthTokenIssuer, authenticate: Authenticate, *, path: str = "/api/auth/social-plus-token"
) -> Route:
    """Answers your app's request for an auth token. [BACKEND-2]

    `POST {"userId": …}` gives 200 `{"authToken": …, "message": …}`; 401 if `authenticate` knows no
    user, 400 if the body names none, 403 if it names another, 502 if the platform gives no token.
    Nothing of it is to be stored by anybody on the way.

    Raises:
        ConfigurationError: `issuer` is none.
        InvalidHandlerError: `authenticate` cannot be called. If later it gives anything but a user
            id that the platform may know, or None, the answer is 500 and your server logs why.
    """
    sealed = Sealed(issuer)
    del issuer  # or the traceback of a refusal would show it: it may be the server key itself
    asked = _issuer_in(sealed)
    _check_callable("authenticate", authenticate)

    async def answer(request: Request) -> JSONResponse:
        user_id = await _call(authenticate, request)
        if user_id is None:
            return _refusal(401, "User not authenticated in your system")
        if not _is_name(user_id):
            raise InvalidHandlerError("authenticate gives a user id or None")
        claimed = await _field(request, "userId")
        if claimed is None:
            return _refusal(400, "userId is required")
        if claimed != user_id:
            return _refusal(403, "userId is not the authenticated user's")
        try:
            token = await asked.issue(user_id)
        except PlatformError as error:
            _log.warning("for user %r: %s", user_id, error)
            return _refusal(502, "social.plus gave no token")
        _log.info("an auth token for user %r", user_id)
        message = "Token generated for verified user"
        return JSONResponse({"authToken": token.reveal(), "message": message}, headers=_NO_STORE)

    return Route(path, answer, methods=["POST"], name="auth_token")


def visitor_signature_route(
    visitor_secret: VisitorSecret | str,
    allow_visitor: VisitorPolicy,
    *,
    lifetime: float = 3600.0,
    path: str = "/api/visitor/auth-signature",
    now: Callable[[], float] = time.time,
) -> Route:
    """Answers your app's request for a visitor's signature. [BACKEND-3]

    `POST {"deviceId": …}` gives 200 `{"authSignature": …, "authSignatureExpiresAt": …}`; 400 if the
    body has no device id that can be signed, 403 if `allow_visitor` says no. Visitors have no
    identity to check: that is the place for a limit, or a proof that there is a human.

    Args:
        visitor_secret: the secret that you and the platform share.
        allow_visitor: whom to vouch for.
        lifetime: how long a signature is good, in seconds.
        path: where this is.
        now: the time, UTC seconds.

    Raises:
        InvalidArgumentError: no secret, or a lifetime that is no positive number of seconds.
        InvalidHandlerError: `allow_visitor` cannot be called.
    """
    sealed = Sealed(visitor_secret)
    del visitor_secret  # or the traceback of a refusal would show it
    secret = _arguments.secret(VisitorSecret, sealed)
    _check_callable("allow_visitor", allow_visitor)
    if not 0 < lifetime < math.inf:
        raise InvalidArgumentError(f"a lifetime is a positive number of seconds, got {lifetime!r}")

    async def answer(request: Request) -> JSONResponse:
        device_id = await _field(request, "deviceId")
        if device_id is None:
            return _refusal(400, "deviceId is required")
        # Nothing but True: a policy that forgets to return must not let everybody in.
        if await _call(allow_visitor, request, device_id) is not True:
            return _refusal(403, "this visitor is not allowed")
        try:
            signed = sign_visitor(device_id, secret, now() + lifetime)
        except InvalidArgumentError as error:
            return _refusal(400, str(error))
        return JSONResponse(
            {"authSignature": signed.signature.reveal(), "authSignatureExpiresAt": signed.expires_at},
            headers=_NO_STORE,
        )

    return Route(path, answer, methods=["POST"], name="visitor_signature")


def _refusal(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers=_NO_STORE)


async def _call(function: Callable[..., Awaitable[T] | T], *arguments: object) -> T:
    """Call somebody's function, on a worker thread if it is a plain one: it may ask a database."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        result: object = function(*arguments)
    else:
        result = await run_in_threadpool(function, *arguments)
    return cast("T", await result if inspect.isawaitable(result) else result)


async def _field(request: Request, name: str) -> str | None:
    """A string, not empty, in the body's JSON object; None if there is no such thing."""
    body = b""
    try:
        async with aclosing(request.stream()) as parts:
            async for part in parts:
                body += part
                if len(body) > _MAX_BODY:
                    return None
        parsed: object = json.loads(body)
    except (ClientDisconnect, ValueError, RecursionError):
        return None
    found = cast("dict[str, object]", parsed).get(name) if isinstance(parsed, dict) else None
    return found if _is_name(found) else None


def _is_name(something: object) -> TypeGuard[str]:
    return isinstance(something, str) and bool(something)


def _issuer_in(sealed: Sealed) -> AuthTokenIssuer:
    if not callable(getattr(sealed.value, "issue", None)):
        raise ConfigurationError("an issuer is an AuthTokenIssuer")
    return cast("AuthTokenIssuer", sealed.value)


def _check_callable(name: str, function: object) -> None:
    if not callable(function):
        raise InvalidHandlerError(f"{name} is a function or a coroutine function")
