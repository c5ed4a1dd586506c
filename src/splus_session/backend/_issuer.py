"""Exchanges the server key for users' auth tokens. [BACKEND-1]

The key is unwrapped at the last moment, for an argument and not for a variable; an error is raised
in a fresh frame, after everything that had to do with the transport is gone. [SECRET-1]
"""

import json
import logging
import queue
import re
import ssl
import threading
import time
from contextlib import suppress
from typing import Any, Final

import anyio
import httpx2

from splus_session import _arguments
from splus_session._config import Limits
from splus_session._errors import (
    ConfigurationError,
    InvalidArgumentError,
    MalformedAnswerError,
    PlatformError,
    RefusedError,
    UnavailableError,
    UserBannedError,
    UserDeletedError,
)
from splus_session._explain import describe
from splus_session._failures import RETRYABLE, Failure, FailureKind
from splus_session._secrets import AuthToken, Sealed, ServerKey
from splus_session.platform import Call, Endpoint, meaning
from splus_session.platform import _parse as parse
from splus_session.platform._endpoint import HEADER_SAFE
from splus_session.platform._http import checked_timeout, client_options, why
from splus_session.platform._wire import Body

__all__ = ["AuthTokenIssuer"]

_PATH: Final = "/api/v4/authentication/token"
# Visible ASCII, and nothing of which a page of HTML or half an answer in JSON is made.
_TOKEN: Final = re.compile(r'[^\x00-\x20\x7f-\U0010ffff<>{}\[\]"]+')
_UNREACHABLE: Final = Failure(FailureKind.UNREACHABLE)
_HINTS: Final = {
    401: "it does not know this server key",
    403: "it does not take this server key; is secure mode on?",
    422: "it does not take this user id",
}
_ERRORS: Final[dict[FailureKind, type[PlatformError]]] = {
    FailureKind.BANNED: UserBannedError,
    FailureKind.DELETED: UserDeletedError,
    FailureKind.MALFORMED: MalformedAnswerError,
}

_log = logging.getLogger("splus_session.backend")


class AuthTokenIssuer:
    """Gets the platform's auth tokens for users that *you* have authenticated. [BACKEND-1]

    It keeps no connection and belongs to no event loop: make one for the process, call it from any
    loop, thread, or worker process.

    Args:
        server_key: what identifies your backend to the platform. It is sent there and shown nowhere.
        region: of the platform; `sg` if there is no endpoint either.
        endpoint: the platform at another place, instead of a region; `https`, or `http` on loopback.
        timeout: how long one exchange may take from its start to its last byte, in seconds.
        ssl_context: how to speak TLS, such as with a client certificate of yours (mTLS).
        limits: the platform's limits, if it has changed them. [LOGIN-10]

    Raises:
        ConfigurationError: a key that no header can carry, an unknown region, an endpoint in plain
            http beyond this machine, a region and an endpoint, or a timeout that is no positive number.
    """

    def __init__(
        self,
        server_key: ServerKey | str,
        *,
        region: str | None = None,
        endpoint: Endpoint | str | None = None,
        timeout: float = 10.0,
        ssl_context: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        sealed = Sealed(server_key)
        del server_key  # or the traceback of a refusal would show it
        self._key = _wrapped(sealed)
        self._endpoint = Endpoint.chosen(region, endpoint)
        self._timeout = checked_timeout(timeout)
        self._trust = {} if ssl_context is None else {"verify": ssl_context}
        self._limits = limits or Limits()

    @property
    def origin(self) -> str:
        """The platform's origin, such as `https://apix.sg.amity.co`: the only place that the key goes."""
        return self._endpoint.origin

    async def issue(self, user_id: str) -> AuthToken:
        """An auth token for this user. You vouch for it that the user is who they say.

        Raises:
            InvalidArgumentError: no user id, or longer than the platform takes. Nothing was sent.
            UnavailableError: out of reach, ailing, too busy, or too slow; try again later, not
                before `retry_at` if that is set.
            RefusedError: the server key is not (any more) the platform's, secure mode is off, or
                the platform does not take this user id.
            UserBannedError, UserDeletedError: it says so of the user.
            MalformedAnswerError: its answer makes no sense; no redirect is followed.
        """
        return self._told(await self._ask(_arguments.user_id(user_id, self._limits)))

    def issue_sync(self, user_id: str) -> AuthToken:
        """The same as `issue`, for threads. It raises what that raises."""
        user_id = _arguments.user_id(user_id, self._limits)
        outcomes: queue.SimpleQueue[AuthToken | Failure] = queue.SimpleQueue()
        # On a thread of its own, as a name server that says nothing holds up a whole event loop's end.
        threading.Thread(
            target=lambda: outcomes.put(anyio.run(self._ask, user_id)), name="auth token", daemon=True
        ).start()
        try:
            outcome = outcomes.get(timeout=self._timeout)
        except queue.Empty:
            outcome = _UNREACHABLE
        return self._told(outcome)

    def _told(self, outcome: AuthToken | Failure) -> AuthToken:
        if isinstance(outcome, AuthToken):
            return outcome
        kind, wait = outcome.kind, outcome.retry_after
        hint = f": {_HINTS[outcome.status]}" if outcome.status in _HINTS else ""
        error = _ERRORS.get(kind, UnavailableError if kind in RETRYABLE else RefusedError)
        raise error(
            f"no auth token: {describe(outcome, self.origin)}{hint}",
            failure=outcome,
            retry_at=None if wait is None else time.time() + wait,
        )

    async def _ask(self, user_id: str) -> AuthToken | Failure:
        outcome, reason = None, "timeout"
        with anyio.move_on_after(self._timeout):
            try:
                outcome = await self._exchange(user_id)
            # All of them: whatever it is, its frames have the server key in them.
            except Exception as error:
                reason = why(error)
        if outcome is None:
            _log.debug("no answer from %s to POST %s: %s", self._endpoint.origin, _PATH, reason)
            return _UNREACHABLE
        return outcome

    async def _exchange(self, user_id: str) -> AuthToken | Failure:
        options: dict[str, Any] = {**client_options(self._endpoint), **self._trust}
        async with (
            httpx2.AsyncClient(**options) as client,
            client.stream(
                "POST",
                self._endpoint.origin + _PATH,
                json={"userId": user_id},
                # No compression: the bound holds for what is received and for what is read.
                headers={
                    "accept": "text/plain, application/json",
                    "accept-encoding": "identity",
                    "x-server-key": self._key.reveal(),
                },
            ) as response,
        ):
            body = Body()
            with anyio.CancelScope() as enough:
                async for part in response.aiter_raw():
                    if not body.feed(part):
                        # Not a break: httpx2 would leave its inner generators to the collector.
                        enough.cancel()
                    del part  # or the traceback of a cancellation would show it
            return self._read(response.status_code, response.headers, body)

    def _read(self, status: int, headers: httpx2.Headers, body: Body) -> AuthToken | Failure:
        """What an answer means. The exchange is the first half of a login, so that table holds."""
        code = parse.code(parse.document(body.whole()))
        kind = meaning(Call.LOGIN, status, code)
        if kind is not None:
            wait = parse.retry_after(headers.get("retry-after"), time.time())
            return Failure(kind, status, code, wait)
        token = _token(body)
        if token is None or len(token.reveal()) > self._limits.auth_token:
            return Failure(FailureKind.MALFORMED, status, code)
        return token


def _wrapped(sealed: Sealed) -> ServerKey:
    try:
        key = _arguments.secret(ServerKey, sealed)
    except InvalidArgumentError:
        key = None
    if key is None or not HEADER_SAFE.fullmatch(key.reveal()):
        raise ConfigurationError("a server key is a string of visible ASCII characters, not empty")
    return key


def _token(body: Body) -> AuthToken | None:
    """The token in an answer: its text, or a JSON string; None if it is neither. [SECRET-3]"""
    text: object = (body.whole() or b"").decode("ascii", errors="replace").strip()
    # Whatever is JSON is read as such: `null` is no token.
    with suppress(ValueError, RecursionError):
        text = json.loads(str(text))
    if not isinstance(text, str) or not _TOKEN.fullmatch(text) or len(text) > AuthToken.max_length:
        return None
    return AuthToken(text)
