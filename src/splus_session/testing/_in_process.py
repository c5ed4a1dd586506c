"""The fake platform without sockets: `ports.Platform` and `ports.AsyncPlatform` over the same exchange.

Requests and answers take the real client's way (`platform._wire`), to the letter; only the bytes'
way through the system is left out. A request that is given up while it is held up is not carried
out any more; over HTTP it is, as soon as it is let go.
"""

from collections.abc import Iterator

from splus_session._answers import Answer
from splus_session._credentials import Grant
from splus_session._secrets import AccessToken, ApiKey
from splus_session.platform import _wire
from splus_session.testing._engine import Engine
from splus_session.testing._exchange import Delivery, drive, drive_async
from splus_session.testing._messages import Request
from splus_session.testing._waiting import First, Until, wait, wait_async


class _Dialogue:
    """One request and its answer, on the client's side; the waiting left to who has it."""

    def __init__(self, engine: Engine, asked: _wire.Request, timeout: float) -> None:
        self._clock = engine.clock
        self._engine = engine
        self._asked = asked
        self._sent_at = engine.clock.now()
        self.bound = Until(engine.clock, timeout)

    def request(self) -> Request:
        """What arrives at the platform."""
        return Request.to(self._asked.method, self._asked.path, self._asked.headers(), self._asked.body())

    def arrival(self, delivery: Delivery) -> First:
        """How long the answer is on its way, at most until the bound."""
        return First(Until(self._clock, delivery.every * len(delivery.pieces)), self.bound)

    def answer(self, delivery: Delivery | None) -> Answer:
        """What the client makes of it."""
        if delivery is None or not delivery.whole or self.bound.left() <= 0:
            return _wire.UNREACHABLE
        headers = dict(delivery.response.sent_at(self._engine.now()))
        body = _body(iter(delivery.pieces))
        reply = _wire.Reply(delivery.response.status, headers, body, self._sent_at, self._clock.now())
        return _wire.read(self._asked, reply)


class _InProcess:
    def __init__(self, engine: Engine, api_key: ApiKey, timeout: float) -> None:
        self._engine = engine
        self._api_key = api_key
        self._timeout = timeout

    def _dialogue(self, asked: _wire.Request) -> _Dialogue:
        return _Dialogue(self._engine, asked, self._timeout)


class InProcessPlatform(_InProcess):
    """`ports.Platform`, blocking. See `FakePlatform.client`."""

    def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        """See `ports.Platform.open_session`."""
        return self._ask(_wire.open_session(grant, device_id=device_id, api_key=self._api_key))

    def verify(self, access_token: AccessToken) -> Answer:
        """See `ports.Platform.verify`."""
        return self._ask(_wire.verify(access_token))

    def revoke(self, access_token: AccessToken) -> Answer:
        """See `ports.Platform.revoke`."""
        return self._ask(_wire.revoke(access_token))

    def close(self) -> None:
        """There is nothing to let go of."""

    def _ask(self, asked: _wire.Request) -> Answer:
        dialogue = self._dialogue(asked)
        delivery = drive(self._engine.begin(dialogue.request()), dialogue.bound)
        if delivery is not None:
            wait(dialogue.arrival(delivery))
        return dialogue.answer(delivery)


class AsyncInProcessPlatform(_InProcess):
    """`ports.AsyncPlatform`, in asyncio or trio. See `FakePlatform.async_client`."""

    async def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        """See `ports.Platform.open_session`."""
        return await self._ask(_wire.open_session(grant, device_id=device_id, api_key=self._api_key))

    async def verify(self, access_token: AccessToken) -> Answer:
        """See `ports.Platform.verify`."""
        return await self._ask(_wire.verify(access_token))

    async def revoke(self, access_token: AccessToken) -> Answer:
        """See `ports.Platform.revoke`."""
        return await self._ask(_wire.revoke(access_token))

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    async def _ask(self, asked: _wire.Request) -> Answer:
        dialogue = self._dialogue(asked)
        delivery = await drive_async(self._engine.begin(dialogue.request()), dialogue.bound)
        if delivery is not None:
            await wait_async(dialogue.arrival(delivery))
        return dialogue.answer(delivery)


def _body(pieces: Iterator[bytes]) -> bytes | None:
    collected = _wire.Body()
    return collected.whole() if all(map(collected.feed, pieces)) else None
