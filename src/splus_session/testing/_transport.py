"""The fake platform for httpx2 clients in this process: an API to use a session with, without sockets."""

import math

from splus_session._errors import MissingExtraError

try:
    import httpx2
except ImportError:
    raise MissingExtraError("testing") from None

from splus_session.testing._engine import Engine
from splus_session.testing._exchange import Delivery, drive, drive_async
from splus_session.testing._messages import Request
from splus_session.testing._waiting import Until, wait, wait_async


class FakeTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Answers every request, whatever its origin, from the fake platform.

    The client's read timeout counts by the platform's clock: until the answer begins, and between
    two pieces of it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """See `httpx2.BaseTransport`."""
        exchange = self._engine.begin(_arrived(request, request.read()))
        delivery = drive(exchange, bound := self._patience(request))
        if delivery is not None:
            wait(self._arrival(delivery))
        return self._response(delivery, bound, request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See `httpx2.AsyncBaseTransport`."""
        exchange = self._engine.begin(_arrived(request, await request.aread()))
        delivery = await drive_async(exchange, bound := self._patience(request))
        if delivery is not None:
            await wait_async(self._arrival(delivery))
        return self._response(delivery, bound, request)

    def _patience(self, request: httpx2.Request) -> Until:
        return Until(self._engine.clock, _read_timeout(request))

    def _arrival(self, delivery: Delivery) -> Until:
        return Until(self._engine.clock, delivery.every * len(delivery.pieces))

    def _response(self, delivery: Delivery | None, bound: Until, request: httpx2.Request) -> httpx2.Response:
        too_slow = delivery is not None and delivery.every > _read_timeout(request)
        if too_slow or (delivery is None and bound.left() <= 0):
            raise httpx2.ReadTimeout("the fake platform took too long", request=request)
        if delivery is None or not delivery.whole:
            raise httpx2.RemoteProtocolError("the fake platform hung up", request=request)
        headers = delivery.response.sent_at(self._engine.now())
        return httpx2.Response(delivery.response.status, headers=headers, content=b"".join(delivery.pieces))


def _read_timeout(request: httpx2.Request) -> float:
    seconds = request.extensions.get("timeout", {}).get("read")
    return math.inf if seconds is None else float(seconds)


def _arrived(request: httpx2.Request, body: bytes) -> Request:
    return Request.to(request.method, str(request.url), dict(request.headers), body)
