"""Runs one and the same call with the threaded platform, and with the async one on both its loops."""

import ssl
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import attrs
import httpx2

from splus_session.platform import Endpoint, aio, sync
from splus_session.platform.auth import SessionAuth
from splus_session.ports import Answer, Authorization

# Loading the system's takes longer than most tests here, which speak plain http.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
DRIVERS = ("sync", "asyncio", "trio")


@attrs.frozen
class Driver:
    name: str

    def ask(
        self,
        origin: str,
        call: Callable[[Any], Any],
        *,
        before_closing: Callable[[], object] = bool,
        **options: Any,
    ) -> Answer:
        """What `call`, given an `HttpPlatform` at this origin, answers."""
        arguments = {"api_key": "the-api-key", "timeout": 10, **options}
        if self.name == "sync":
            platform = sync.HttpPlatform(Endpoint(origin), **arguments)
            try:
                threaded: Answer = call(platform)
                before_closing()
            finally:
                platform.close()
            return threaded

        async def main() -> Answer:
            platform = aio.HttpPlatform(Endpoint(origin), **arguments)
            try:
                awaited: Answer = await call(platform)
                await anyio.to_thread.run_sync(before_closing)
            finally:
                await platform.aclose()
            return awaited

        return anyio.run(main, backend=self.name)

    def send(
        self,
        authorizer: "ScriptedAuthorizer",
        request: httpx2.Request,
        *,
        read: Callable[[Any], Any] | None = None,
        **options: Any,
    ) -> httpx2.Response:
        """The response to a request of an app that authenticates with `authorizer`.

        `read` streams it; otherwise it is read as a whole.
        """
        options = {"verify": NO_CERTIFICATES, **options}
        if self.name == "sync":
            with httpx2.Client(auth=SessionAuth(authorizer), **options) as client:
                response = client.send(request, stream=read is not None)
                if read is not None:
                    read(response)
                response.close()
                return response

        async def main() -> httpx2.Response:
            auth = SessionAuth(AsyncScriptedAuthorizer(authorizer))
            async with httpx2.AsyncClient(auth=auth, **options) as client:
                response = await client.send(request, stream=read is not None)
                if read is not None:
                    await read(response)
                await response.aclose()
                return response

        return anyio.run(main, backend=self.name)


class ScriptedAuthorizer:
    """Gives tokens, or raises errors, in turn; the last for ever. Notes what it is told.

    `stays` numbers the session that each token belongs to, if not all belong to one.
    """

    def __init__(self, origin: str, *given: str | Exception, stays: Sequence[int] = ()) -> None:
        self.origin = origin
        self._stays = stays
        self.told: list[tuple[str, int]] = []
        self.asked = 0
        self._given = given

    def authorization(self) -> Authorization:
        self.asked += 1
        attempt = min(self.asked, len(self._given))
        given = self._given[attempt - 1]
        if isinstance(given, Exception):
            raise given
        # The same token again is the same credential.
        attempt = self._given.index(given) + 1
        stay = self._stays[attempt - 1] if self._stays else 1
        return Authorization(f"Bearer {given}", attempt, until=float("inf"), session=stay)

    def report_rejected(self, attempt: int) -> None:
        self.told.append(("rejected", attempt))

    def report_banned(self, attempt: int) -> None:
        self.told.append(("banned", attempt))


class AsyncScriptedAuthorizer:
    """The same for an async client."""

    def __init__(self, inner: ScriptedAuthorizer) -> None:
        self.origin = inner.origin
        self._inner = inner

    async def authorization(self) -> Authorization:
        return self._inner.authorization()

    async def report_rejected(self, attempt: int) -> None:
        self._inner.report_rejected(attempt)

    async def report_banned(self, attempt: int) -> None:
        self._inner.report_banned(attempt)
