"""The fake platform as an ASGI app, and the protocol that lets it hang up on its clients."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request as Incoming
from uvicorn.protocols.http.h11_impl import H11Protocol

from splus_session.testing._engine import Engine
from splus_session.testing._exchange import Delivery, drive_async
from splus_session.testing._messages import Request
from splus_session.testing._waiting import First, Signal, Until, wait_async

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TRANSPORT = "splus_session.transport"
"""The ASGI extension that gives the app its connection's transport. ASGI itself cannot hang up."""

HUNG_UP = "splus_session.hung_up"
"""The one that tells, while a request is under way, that its client is gone."""


class HangUpProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with the transport, and when it is lost, in every request's scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        inner = self.app
        self._hung_up = Signal()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            extensions = {TRANSPORT: transport, HUNG_UP: self._hung_up}
            await inner({**scope, "extensions": extensions}, receive, send)

        self.app = app

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._hung_up.set()
        super().connection_lost(exc)


class FakeApp:
    """Answers one HTTP request after the other from the engine. Served with `HangUpProtocol`.

    Args:
        engine: what carries the requests out.
        stopped: when set, whatever is under way ends without an answer.
    """

    def __init__(self, engine: Engine, stopped: Signal) -> None:
        self._engine = engine
        self._stopped = stopped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        request, hung_up = await _request(scope, receive), scope["extensions"][HUNG_UP]
        # Held up or not, it is carried out though its client is gone, as the real platform would.
        delivery = await drive_async(self._engine.begin(request, hung_up), self._stopped)
        transport: asyncio.Transport = scope["extensions"][TRANSPORT]
        if delivery is None:
            transport.abort()
        elif await self._deliver(delivery, send):
            return
        else:
            transport.close()
        # uvicorn answers for an app that just returns, until it has seen the connection's end.
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _deliver(self, delivery: Delivery, send: Send) -> bool:
        """Send an answer; say whether it was sent as a whole."""
        response = delivery.response
        sent = response.sent_at(self._engine.now())
        headers = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in sent]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        for piece in delivery.pieces:
            if delivery.every:
                await wait_async(First(Until(self._engine.clock, delivery.every), self._stopped))
            if self._stopped.is_set():
                return False
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if delivery.whole:
            await send({"type": "http.response.body", "body": b""})
        return delivery.whole


async def _request(scope: Scope, receive: Receive) -> Request:
    incoming = Incoming(scope, receive)
    path: bytes = scope["raw_path"]
    return Request(
        incoming.method,
        path.decode("ascii"),
        incoming.url.query,
        tuple(incoming.headers.items()),
        await incoming.body(),
    )
