"""A session on the fake platform, by a manual clock, with all that it tells written down."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from splus_session import SessionState
from splus_session.ports import Renewal
from splus_session.testing import FakePlatform, ManualClock
from tests.drivers.faces import PATIENCE, Face, Log

HOOKS = ("on_login", "on_renewal", "on_ban", "on_logout")
MONTH = 30 * 24 * 3600.0
DUE = 25 * 24 * 3600.0
"""Into this many seconds of a month's token, renewal is due."""


class Asked:
    """A session handler that writes down what it is asked, and answers if it is told how."""

    def __init__(self, answer: Callable[[Renewal], object] | None = None) -> None:
        self.log = Log()
        self.answer = answer

    def session_will_renew_access_token(self, renewal: Renewal) -> None:
        self.log.add(renewal)
        if self.answer is not None:
            self.answer(renewal)


class Vouching(Asked):
    """One whose customer's backend vouches for the user, as often as asked."""

    def __init__(self, fake: FakePlatform, user_id: str = "ann") -> None:
        super().__init__(lambda renewal: renewal.renew_with_auth_token(fake.issue_auth_token(user_id)))


class Stage:
    """See the module. Use it as a context manager."""

    def __init__(self, face: Face, fake: FakePlatform, clock: ManualClock, **arguments: Any) -> None:
        self.face, self.fake, self.clock = face, fake, clock
        self.changes = Log()
        self.hooks = Log()
        arguments.setdefault("api_key", fake.api_key)
        arguments.setdefault("platform", face.platform(fake))
        arguments.setdefault("clock", clock)
        if "hooks" not in arguments:
            arguments["hooks"] = dict.fromkeys(HOOKS, face.callback(self.hooks.add))
        self.session = face.make(**arguments)
        self.moves = Log()
        for name in ("post", "tick", "authorize"):
            self._note(name)
        self._stack = ExitStack()

    def _note(self, name: str) -> None:
        """Write down, once it is done, whatever the engine is made to do: all commits are among it."""
        engine = self.session._engine
        move = getattr(engine, name)

        def noted(*arguments: Any, **named: Any) -> Any:
            try:
                return move(*arguments, **named)
            finally:
                self.moves.add(type(arguments[0]).__name__ if name == "post" else name)

        setattr(engine, name, noted)

    def __enter__(self) -> Self:
        self._stack.enter_context(self.face.open(self.session))
        self.session.on_change(self.changes.add)
        self.changes.wait_count(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        self._stack.close()

    def close(self) -> None:
        """Leave the session's block."""
        self._stack.close()

    # ── What a test does ────────────────────────────────────────────────────────────────────────

    def start(self, method: str, *arguments: Any, **named: Any) -> "Future[Any]":
        """Call a method of the session; gives its result to come."""
        return self.face.start(self.session, method, *arguments, **named)

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the session."""
        return self.start(method, *arguments, **named).result(PATIENCE)

    def log_in(self, user_id: str = "ann", **named: Any) -> None:
        """A production login, with an auth token of the fake's."""
        self.call("login", user_id, auth_token=self.fake.issue_auth_token(user_id), **named)

    def expire(self) -> None:
        """Let a month pass, the token's life, and wait until that is told."""
        before = len(self.changes)
        self.clock.advance(MONTH)
        self.changes.wait_for(lambda: SessionState.TOKEN_EXPIRED in self.states[before:], "the expiry")

    # ── What it hears ───────────────────────────────────────────────────────────────────────────

    @property
    def state(self) -> SessionState:
        """The state announced last."""
        state: SessionState = self.session.state
        return state

    @property
    def states(self) -> list[SessionState]:
        """The states that the observer heard of, in order."""
        return [change.state for change in self.changes]

    def heard(self, state: SessionState) -> Any:
        """Wait until the last change heard is to this state; gives the change."""
        self.changes.wait_for(lambda: self.states[-1:] == [state], state.value)
        return self.changes[-1]

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until the engine is made to do what makes it hold."""
        self.moves.wait_for(holds, "a commit")

    def failure(self, future: "Future[Any]") -> BaseException:
        """What a call raised."""
        error = future.exception(PATIENCE)
        assert error is not None, "it raised nothing"
        return error
