"""What a session's steps command, done on threads that come and go: stored, told, hooked, sent, asked."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import assert_never

from splus_session._answers import Answer, Attempt, checked, facts, minted_by
from splus_session._arguments import Hook
from splus_session._commands import (
    Announce,
    AskRenewal,
    HookCall,
    OpenSession,
    Persist,
    ReleaseWaiters,
    Renew,
    Revoke,
    RevokeOrphan,
    RunHook,
    Verify,
)
from splus_session._engine import Engine, Entry
from splus_session._errors import ForkedSessionError, InterruptedByError, SessionClosed, StoreError
from splus_session._events import Fact, RenewalUnable
from splus_session._failures import Failure, FailureKind
from splus_session._observers import Observers
from splus_session._renewals import (
    MANY,
    TOO_MANY,
    Question,
    handler_failed,
    handler_returned,
    question,
    token_answer,
)
from splus_session._secrets import Sealed
from splus_session._storing import persist
from splus_session.ports import AccessTokenHandler, Platform, SessionHandler, Store
from splus_session.sync._observers import Courier
from splus_session.sync._signal import Signal
from splus_session.sync._threads import Series, start

logger = logging.getLogger("splus_session")


class Worker:
    """Does what the engine's outbox says, in order."""

    def __init__(
        self,
        engine: Engine[Signal],
        observers: Observers[Signal],
        platform: Platform,
        store: Store,
        key: str,
        hooks: Mapping[str, Hook],
        handlers: Callable[[], tuple[SessionHandler | None, AccessTokenHandler | None]],
    ) -> None:
        """Make a worker.

        Args:
            engine: whose outbox it empties.
            observers: who is told.
            platform: where requests go.
            store: where records go.
            key: under which key.
            hooks: the client's, by name.
            handlers: gives the session handler and the access token handler, as of now.
        """
        self._engine = engine
        self._observers = observers
        self._platform = platform
        self._store = store
        self._key = key
        self._hooks = hooks
        self._handlers = handlers
        self._outbox = Series("drainer")
        self._calls = Series("hooks")
        self._stopping = False
        self._questions = threading.Semaphore(MANY)
        self.device_id = ""

    def work(self) -> None:
        """There is something to do. Never blocks."""
        self._outbox.submit(self._drain)

    def stop(self) -> None:
        """Finish what was committed, but send nothing more."""
        self._stopping = True
        finished = threading.Event()
        self._outbox.submit(self._drain)
        self._outbox.submit(finished.set)
        finished.wait()

    def let_callbacks_end(self, couriers: Iterable[Courier]) -> None:
        """Give hooks and observers that are still at it a bounded time."""
        until = time.monotonic() + self._engine.config.wait_limit
        for series in (self._calls, *(courier.series for courier in couriers)):
            series.finish(until)

    # ── The drainer ─────────────────────────────────────────────────────────────────────────────

    def _drain(self) -> None:
        while (entry := self._engine.take()) is not None:
            self._carry_out(entry)

    def _carry_out(self, entry: Entry[Signal]) -> None:
        error: StoreError | None = None
        for command in entry.commands:
            match command:
                case Persist():
                    error = persist(self._store, self._key, command.record)
                case Announce():
                    self._observers.announce(command.change)
                case RunHook():
                    self._run_hook(command.call)
                case OpenSession() | Renew() | Verify() | Revoke():
                    self._start(partial(self._fly, command), "request")
                case RevokeOrphan():
                    self._start(partial(self._revoke_orphan, command), "revocation")
                case AskRenewal():
                    self._start(partial(self._ask_handler, command.attempt), "handler")
                case ReleaseWaiters():
                    self._engine.settle(command.attempt, error)
                case _:
                    assert_never(command)
        if entry.waiter is not None:
            entry.waiter.settle(error)

    def _start(self, job: Callable[[], object], name: str) -> None:
        if not self._stopping:
            start(job, name)

    # ── The platform ────────────────────────────────────────────────────────────────────────────

    def _fly(self, command: Attempt) -> None:
        answer = self._ask_platform(command)
        for fact in facts(command, answer):
            credential = minted_by(fact)
            if not self._post(fact) and credential is not None:
                self._revoke_orphan(RevokeOrphan(credential))

    def _revoke_orphan(self, command: RevokeOrphan) -> None:
        answer = self._ask_platform(command)
        if answer.failure is not None:
            logger.info("a token nobody uses could not be revoked: %s", answer.failure.kind.value)

    def _ask_platform(self, command: Attempt | RevokeOrphan) -> Answer:
        try:
            return checked(self._request(command))
        except BaseException as error:  # its SystemExit would end this thread, unheard
            # Its message and frames may hold what was sent. [SECRET-1]
            logger.error("the platform adapter raised %s", type(error).__name__)  # noqa: TRY400
        return Answer(failure=Failure(FailureKind.UNREACHABLE))

    def _request(self, command: Attempt | RevokeOrphan) -> Answer:
        match command:
            case OpenSession() | Renew():
                return self._platform.open_session(command.grant, device_id=self.device_id)
            case Verify():
                return self._platform.verify(command.credential.access_token)
            case Revoke() | RevokeOrphan():
                return self._platform.revoke(command.credential.access_token)

    def _post(self, fact: Fact) -> bool:
        """Have the core take a fact. Whether there still is one to take it."""
        try:
            self._engine.post(fact, whenever=True)
        except (SessionClosed, ForkedSessionError):
            logger.debug("the session object is gone; an answer is dropped")
            return False
        return True

    # ── The app ─────────────────────────────────────────────────────────────────────────────────

    def _ask_handler(self, attempt: int) -> None:
        limits = self._engine.config.limits
        # The handlers first: should another user log in meanwhile, the snapshot shows that this
        # renewal is over, whosever handlers these are. [HANDLER-1]
        handlers = self._handlers()
        asked = question(attempt, self._engine.snapshot, *handlers, limits, self._post)
        if isinstance(asked, RenewalUnable):
            self._post(asked)
        elif asked is not None:
            self._ask(attempt, asked)

    def _ask(self, attempt: int, asked: Question) -> None:
        try:
            sealed = Sealed(self._call(asked))
            if asked.returns_token:
                self._post(token_answer(attempt, asked.user_id, sealed, self._engine.server_now()))
            elif unable := handler_returned(attempt, sealed, self._engine.snapshot):
                self._post(unable)
        except BaseException as error:  # its SystemExit would end this thread, unheard
            self._post(handler_failed(attempt, error))

    def _call(self, asked: Question) -> object:
        if not self._questions.acquire(blocking=False):
            raise InterruptedByError(TOO_MANY)
        try:
            return asked.function(asked.argument)
        finally:
            self._questions.release()

    def _run_hook(self, call: HookCall) -> None:
        hook = self._hooks.get(call.hook)
        if hook is not None:
            self._calls.submit(partial(self._call_hook, hook, call))

    def _call_hook(self, hook: Hook, call: HookCall) -> None:
        try:
            hook(call)
        except BaseException:  # its SystemExit ends no more than this call
            logger.exception("the hook %s failed", call.hook)
