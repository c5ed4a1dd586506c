"""What a client is made of, and the app's handlers that it gets."""

import contextlib
import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from pathlib import Path
from typing import Any

import attrs

from splus_session._arguments import Hook
from splus_session.conformance._runners import Runner
from splus_session.conformance._traffic import Traffic
from splus_session.ports import AccessTokenHandler, SessionHandler
from splus_session.testing.clock import ManualClock

__all__ = ["App", "AppError", "MakeClient", "Setup", "resolve"]


@attrs.frozen(kw_only=True)
class Setup:
    """What one client is made of, by `make_client(setup)`. Nothing of it need be used."""

    client: str
    """Its name in the run."""
    url: str
    """Where the platform is, for every API."""
    api_key: str
    region: str | None
    """Only if the run gives one, be it one that cannot be."""
    endpoint: str | None
    """What the run gives; `url` if it gives neither this nor a region."""
    development: bool
    session_handler: SessionHandler | None
    access_token_handler: AccessTokenHandler | None
    hooks: Mapping[str, Hook]
    """None of them if there are to be none."""
    clock: ManualClock
    """The client's time, which the run moves; without `time`, the machine's."""
    store: Path
    """A folder for what the clients of this run store."""
    traffic: Traffic
    """Send requests through its transports, and they are counted."""
    at_close: Callable[[Callable[[], Any]], None]
    """Registers what is called, and awaited if need be, once the client is closed."""


MakeClient = Callable[[Setup], Any]
"""Makes a client that has not been opened, with the interface of `aio.Session` or `sync.Session`."""


class AppError(Exception):
    """What the app's handlers and observers raise when they are to raise."""


class App:
    """The app around one client: its handlers, and what they wait for.

    Args:
        tell: tells the kit of an event about this client.
        numbers: numbers the renewals of all clients.
        renewals: by number, what each is answered on: a renewal object, or the future of a token.
        runner: where the client lives.
        threaded: whether handlers are to be plain functions.
        user_id: whose session the client says it is.
        state: where the client says that it is; None as long as there is none.
    """

    def __init__(
        self,
        tell: Callable[[dict[str, object]], object],
        numbers: "itertools.count[int]",
        renewals: dict[int, Any],
        runner: Runner,
        *,
        threaded: bool,
        user_id: Callable[[], object],
        state: Callable[[], object],
    ) -> None:
        self.tell = tell
        self.how = "report"
        self.threaded = threaded
        self.runner = runner
        self._numbers = numbers
        self._renewals = renewals
        self._answers: list[Future[str]] = []
        self._user_id = user_id
        self.state = state

    def session_handler(self, whose: str) -> SessionHandler:
        """A session handler of the client's (`client`) or of one login's (`own`)."""
        return _Renews(self, whose) if self.threaded else _RenewsAsync(self, whose)

    def access_token_handler(self) -> AccessTokenHandler:
        """An access token handler."""
        return _GivesTokens(self) if self.threaded else _GivesTokensAsync(self)

    def asked(self, renewal: object, whose: str) -> None:
        """A session handler was called."""
        event = {"event": "renewal", "renewal": self._keep(renewal), "user_id": self._user_id()}
        self.tell({**event, "handler": whose})
        if self.how != "report":
            raise AppError("this session handler is to raise")

    def asked_for_token(self, user_id: object) -> "Future[str]":
        """An access token handler was called: what its answer will be."""
        answer: Future[str] = Future()
        self._answers.append(answer)
        self.tell({"event": "token_renew", "renewal": self._keep(answer), "user_id": user_id})
        if self.how == "raise":
            raise AppError("this access token handler is to raise")
        if self.how == "garbage":
            answer.set_result("no token at all")
        return answer

    def leave(self) -> None:
        """Nobody is there any more to answer. Whoever waits for that goes on."""
        for answer in self._answers:
            resolve(answer, error=AppError("the client is closed"))

    def _keep(self, asked: object) -> int:
        number = next(self._numbers)
        self._renewals[number] = asked
        return number


def resolve(answer: "Future[str]", token: str = "", error: Exception | None = None) -> None:
    """Give an answer, unless there is one already, or nobody waits for it any more."""
    with contextlib.suppress(InvalidStateError):
        if error is None:
            answer.set_result(token)
        else:
            answer.set_exception(error)


class _Renews:
    def __init__(self, app: App, whose: str) -> None:
        self._app = app
        self._whose = whose

    def session_will_renew_access_token(self, renewal: object) -> None:
        self._app.asked(renewal, self._whose)


class _RenewsAsync:
    def __init__(self, app: App, whose: str) -> None:
        self._app = app
        self._whose = whose

    async def session_will_renew_access_token(self, renewal: object) -> None:
        self._app.asked(renewal, self._whose)


class _GivesTokens:
    def __init__(self, app: App) -> None:
        self._app = app

    def on_token_renew(self, user_id: str) -> str:
        return self._app.asked_for_token(user_id).result()


class _GivesTokensAsync:
    def __init__(self, app: App) -> None:
        self._app = app

    async def on_token_renew(self, user_id: str) -> str:
        token: str = await self._app.runner.outcome(self._app.asked_for_token(user_id))
        return token
