"""What a session's steps command, done on threads that come and go: stored, told, hooked, sent, asked."""

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import assert_never

from splus_session._answers import Answer, Attempt, facts
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
from splus_session._credentials import SessionKind
from splus_session._engine import Engine, Entry
from splus_session._errors import CallerError, StoreError
from splus_session._events import Fact, RenewalUnable
from splus_session._failures import Failure, FailureKind
from splus_session._observers import Observers
from splus_session._renewals import HandlersRenewal, handler_failed, token_answer
from splus_session._secrets import Sealed
from splus_session._storing import persist
from splus_session.ports import AccessTokenHandler, Platform, SessionHandler, Store
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
            self._post(fact)

    def _revoke_orphan(self, command: RevokeOrphan) -> None:
        answer = self._ask_platform(command)
        if answer.failure is not None:
            logger.info("a token nobody uses could not be revoked: %s", answer.failure.kind.value)

    def _ask_platform(self, command: Attempt | RevokeOrphan) -> Answer:
        try:
            return self._request(command)
        except Exception as error:
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

    def _post(self, fact: Fact) -> None:
        try:
            self._engine.post(fact)
        except CallerError:
            logger.debug("the session object is gone; an answer is dropped")

    # ── The app ─────────────────────────────────────────────────────────────────────────────────

    def _ask_handler(self, attempt: int) -> None:
        snapshot = self._engine.snapshot
        session_handler, access_token_handler = self._handlers()
        renewal, kind, user_id = snapshot.renewal, snapshot.kind, snapshot.user_id
        if renewal is None or renewal.attempt != attempt or kind is None or user_id is None:
            return  # logged out meanwhile, say: nobody need be asked [BAN-4]
        try:
            if kind is SessionKind.ACCESS_TOKEN:
                if access_token_handler is None:
                    self._post(RenewalUnable(attempt))
                else:
                    sealed = Sealed(access_token_handler.on_token_renew(user_id))
                    self._post(token_answer(attempt, user_id, sealed, self._engine.server_now()))
            elif session_handler is None:
                self._post(RenewalUnable(attempt))
            else:
                question = HandlersRenewal(attempt, kind, user_id, self._engine.config.limits, self._post)
                session_handler.session_will_renew_access_token(question)
        except Exception as error:
            self._post(handler_failed(attempt, error))

    def _run_hook(self, call: HookCall) -> None:
        hook = self._hooks.get(call.hook)
        if hook is not None:
            self._calls.submit(partial(self._call_hook, hook, call))

    def _call_hook(self, hook: Hook, call: HookCall) -> None:
        try:
            hook(call)
        except Exception:
            logger.exception("the hook %s failed", call.hook)
