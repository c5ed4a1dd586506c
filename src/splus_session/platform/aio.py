"""The platform for async sessions: over HTTP, on asyncio and on trio."""

import time
from collections.abc import Callable
from typing import Final

import anyio

from splus_session._errors import MissingExtraError

try:
    import httpx2
except ImportError:
    raise MissingExtraError("http") from None

from splus_session._credentials import Grant
from splus_session._secrets import AccessToken, ApiKey
from splus_session.platform import _wire as wire
from splus_session.platform._endpoint import Endpoint, wrap_api_key
from splus_session.platform._http import (
    DEFAULT_TIMEOUT,
    TIMEOUT,
    checked_timeout,
    client_options,
    log_silence,
    to_httpx2,
    to_reply,
    why,
)
from splus_session.ports import Answer

__all__ = ["HttpPlatform"]

# One deadline bounds the whole request; httpx2's own would start anew with every read.
_NO_TIMEOUT: Final = httpx2.Timeout(None).as_dict()


class HttpPlatform:
    """The platform over HTTP: an `AsyncPlatform`. Its methods never raise but for cancellation.

    Args:
        endpoint: where it is.
        api_key: names the application there.
        timeout: how long one request may take from its start to its last byte, in seconds.
        client: what sends the requests; it stays open when this object is closed. Its transport,
            proxies and certificates are used; its headers, cookies, authentication and base URL
            are not, and it follows no redirect. None: a client of our own.
        now: our clock, UTC seconds.

    Raises:
        ConfigurationError: an API key or a timeout that cannot be. [CLIENT-1]
    """

    def __init__(
        self,
        endpoint: Endpoint,
        api_key: ApiKey | str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        client: httpx2.AsyncClient | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._api_key = wrap_api_key(api_key)
        finally:
            del api_key  # or the traceback of a refusal would show it
        self._endpoint = endpoint
        self._timeout = checked_timeout(timeout)
        self._client = client or httpx2.AsyncClient(**client_options(endpoint))
        self._owns_client = client is None
        self._now = now

    async def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        """Log in or renew; see `AsyncPlatform.open_session`. [LOGIN-8]"""
        return await self._ask(wire.open_session(grant, device_id=device_id, api_key=self._api_key))

    async def verify(self, access_token: AccessToken) -> Answer:
        """Ask whether a token is alive; see `AsyncPlatform.verify`. [EXPIRE-3]"""
        return await self._ask(wire.verify(access_token))

    async def revoke(self, access_token: AccessToken) -> Answer:
        """Void a token; see `AsyncPlatform.revoke`. [LOGOUT-3]"""
        return await self._ask(wire.revoke(access_token))

    async def aclose(self) -> None:
        """Let go of connections; what is asked afterwards is unreachable."""
        if self._owns_client:
            await self._client.aclose()

    async def _ask(self, asked: wire.Request) -> Answer:
        if not asked.is_sendable:
            return wire.unsendable(asked)
        reply, reason = None, TIMEOUT
        with anyio.move_on_after(self._timeout):
            try:
                reply = await self._exchange(asked)
            except Exception as error:
                reason = why(error)
        if reply is None:
            log_silence(self._endpoint, asked, reason)
            return wire.UNREACHABLE
        return wire.read(asked, reply)

    async def _exchange(self, asked: wire.Request) -> wire.Reply:
        sent_at = self._now()
        response = await self._client.send(
            to_httpx2(self._endpoint, asked, {"timeout": _NO_TIMEOUT}),
            stream=True,
            auth=None,
            follow_redirects=False,
        )
        body = wire.Body()
        try:
            with anyio.CancelScope() as enough:
                async for part in response.aiter_bytes():
                    if not body.feed(part):
                        # Not a break: httpx2 would leave its inner generators to the collector.
                        enough.cancel()
                    del part  # or the traceback of a cancellation would show it
        finally:
            await response.aclose()
        return to_reply(response, body, sent_at, self._now())
