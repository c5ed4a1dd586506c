"""What surrounds a session, each answer of it in a test's hands: platform, handlers, store.

Nothing here answers by itself, so a test decides what happens in which order, on every driver.
"""

import threading
from collections.abc import Callable
from typing import Any

import anyio

from splus_session import SessionState
from splus_session._credentials import Grant, Record
from splus_session._secrets import AccessToken, Secret
from splus_session.aio._signal import Signal as LoopSignal
from splus_session.ports import Answer, Renewal
from tests.drivers.faces import Log

Payload = tuple[str, Grant | AccessToken]
"""A request to the platform: which, and with what."""


class Asking:
    """A question that waits for its answer, in a thread or in a loop."""

    def __init__(self, payload: Any) -> None:
        self.payload = payload
        self._answer: list[Any] = []
        self._answered = threading.Event()
        self._signal = LoopSignal()

    def answer(self, answer: object) -> None:
        """Let the one who asks have it."""
        self._answer.append(answer)
        self._answered.set()
        self._signal.fire()

    def wait(self) -> Any:
        """For who asks in a thread."""
        self._answered.wait()
        return self._answer[0]

    async def wait_async(self) -> Any:
        """For who asks in a loop."""
        while True:
            event = self._signal.listen()
            if self._answer:
                return self._answer[0]
            await event.wait()


class HeldPlatform:
    """`ports.Platform`, whose `calls` wait to be answered."""

    def __init__(self) -> None:
        self.calls = Log()

    def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        return self._ask("open_session", grant)

    def verify(self, access_token: AccessToken) -> Answer:
        return self._ask("verify", access_token)

    def revoke(self, access_token: AccessToken) -> Answer:
        return self._ask("revoke", access_token)

    def close(self) -> None:
        pass

    def _ask(self, *payload: Any) -> Answer:
        call = Asking(payload)
        self.calls.add(call)
        answer: Answer = call.wait()
        return answer


class AsyncHeldPlatform:
    """The same for an async session."""

    def __init__(self) -> None:
        self.calls = Log()

    async def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        return await self._ask("open_session", grant)

    async def verify(self, access_token: AccessToken) -> Answer:
        return await self._ask("verify", access_token)

    async def revoke(self, access_token: AccessToken) -> Answer:
        return await self._ask("revoke", access_token)

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()

    async def _ask(self, *payload: Any) -> Answer:
        call = Asking(payload)
        self.calls.add(call)
        answer: Answer = await call.wait_async()
        return answer


class HeldHandlers:
    """Both kinds of handler; what they are asked waits in `asked` to be answered."""

    def __init__(self, asked: Log) -> None:
        self._asked = asked

    def session_will_renew_access_token(self, renewal: Renewal) -> None:
        self._asked.add(renewal)

    def on_token_renew(self, user_id: str) -> Any:
        question = Asking(user_id)
        self._asked.add(question)
        return question.wait()


class LoggingStore:
    """A store that writes down what it is to do, and where the session was said to be then."""

    def __init__(self) -> None:
        self.log = Log()
        self.state: Callable[[], SessionState] = lambda: SessionState.NOT_LOGGED_IN

    def load(self, key: str) -> Record | None:
        return None

    def save(self, key: str, record: Record) -> None:
        self.log.add((record, self.state()))

    def delete(self, key: str) -> None:
        self.log.add((None, self.state()))

    def device_id(self, make: Callable[[], str]) -> str:
        return "a-device"


def raw(secret: Secret | None) -> str | None:
    """A secret as an app would hand it in."""
    return None if secret is None else secret.reveal()
