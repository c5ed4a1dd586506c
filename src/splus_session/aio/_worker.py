"""What a session's steps command, done in its event loop: stored, told, hooked, sent, asked."""

import inspect
import logging
import math
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, assert_never

import anyio
import anyio.abc
import anyio.lowlevel

from splus_session._answers import Answer, Attempt, checked, facts, minted_by
from splus_session._arguments import Hook, is_async
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
from splus_session.aio._foreign import called, contained, on_thread, on_thread_to_the_end, to_the_end
from splus_session.aio._signal import Signal, look_at_closed, never
from splus_session.ports import AccessTokenHandler, AsyncPlatform, SessionHandler, Store
from splus_session.stores import MemoryStore

logger = logging.getLogger("splus_session")


class Worker:
    """Does what the engine's outbox says, in order. Lives in the loop that opened the session."""

    def __init__(
        self,
        engine: Engine[Signal],
        observers: Observers[Signal],
        platform: AsyncPlatform,
        store: Store,
        key: str,
        hooks: Mapping[str, Hook],
        handlers: Callable[[], tuple[SessionHandler | None, AccessTokenHandler | None]],
        work: Signal,
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
            work: fires when there is something to do or the deadline moved.
        """
        self._engine = engine
        self._observers = observers
        self._platform = platform
        self._store = store
        self._key = key
        self._hooks = hooks
        self._handlers = handlers
        self._work = work
        self._calls: deque[HookCall] = deque()
        self._hooked = Signal()
        self._jobs: deque[tuple[Callable[..., Any], tuple[object, ...]]] = deque()
        self._asked = Signal()
        self._stopping = False
        self._stopped = anyio.Event()
        self._callbacks: set[anyio.CancelScope] = set()
        self._until_closed: set[anyio.CancelScope] = set()
        self._closed = False
        self._questions = threading.Semaphore(MANY)
        self._unbegun: dict[object, Coroutine[Any, Any, None]] = {}
        self.begun = anyio.Event()
        """Set once somebody drains: from then on, whoever waits hears of the loop's end too."""
        self.is_deserted = never
        """Tells whether the loop that this lives in was closed under it. Every header asks: a call, and
        no more."""
        self.device_id = ""

    def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """Start working in a task group."""
        self._tasks = tasks
        self._loop = anyio.lowlevel.current_token().native_token
        self.is_deserted = look_at_closed(self._loop)
        self._begin(self._drain_unless_drained)
        self._begin(self._run_until_closed, self._watch_clock)
        self._begin(self._run_callbacks, self._run_hooks)
        self._begin(self._run_callbacks, self._start_jobs)

    def _begin(self, job: Callable[..., Awaitable[None]], *arguments: object) -> None:
        """Have a task run a job."""
        ticket = object()

        async def run() -> None:
            del self._unbegun[ticket]
            await job(*arguments)

        def begin() -> Coroutine[Any, Any, None]:
            self._unbegun[ticket] = coroutine = run()
            return coroutine

        self._tasks.start_soon(begin)

    @property
    def is_here(self) -> bool:
        """Whether this lives in the loop that it is asked in."""
        return self._loop is anyio.lowlevel.current_token().native_token

    def start_callbacks(self, job: Callable[..., Any], *arguments: object) -> None:
        """Start, in the session's loop, what calls the app; from any thread."""
        self._jobs.append((job, arguments))
        self._asked.fire()

    async def stop(self) -> None:
        """Finish what was committed, but send nothing more. Not to be cancelled."""
        self._stopping = True
        self._work.fire()
        await to_the_end(self._drain_unless_drained)
        await to_the_end(self._stopped.wait)

    def forget_unbegun(self) -> None:
        """Let go of what no task runs any more: asyncio lets one go unbegun that is cancelled so early."""
        for job in self._unbegun.values():
            job.close()
        self._unbegun.clear()

    # ── The drainer ─────────────────────────────────────────────────────────────────────────────

    async def _drain_unless_drained(self) -> None:
        # A loop that ends cancels the drainer's task even before it has begun. Then who closes the
        # session drains in its place, and is not to wait for a drainer that never was.
        if not self.begun.is_set():
            self.begun.set()
            await self._drain()

    async def _drain(self) -> None:
        # Shielded: what was committed is stored and told even when the session's tasks are
        # cancelled, for a logout may be waiting for it. [LOGOUT-1]
        try:
            with anyio.CancelScope(shield=True):
                while True:
                    event = self._work.listen()
                    while (entry := self._engine.take()) is not None:
                        try:
                            await self._carry_out(entry)
                        finally:  # a loop that ends heeds no shield, and waits for who waits here
                            if entry.waiter is not None and not entry.waiter.settled:
                                entry.waiter.settle(closed=True)
                    if self._stopping:
                        return
                    await event.wait()
        except BaseException:  # the loop ends; a task that has not begun is cancelled and never will
            self.forget_unbegun()
            raise
        finally:  # also when the session was never closed
            self._engine.abandon()
            self._stopped.set()
            self._hooked.fire()
            self._asked.fire()

    async def _carry_out(self, entry: Entry[Signal]) -> None:
        error: StoreError | None = None
        for command in entry.commands:
            match command:
                case Persist():
                    error = await self.in_store(persist, self._store, self._key, command.record)
                case Announce():
                    self._observers.announce(command.change)
                case RunHook():
                    self._calls.append(command.call)
                    self._hooked.fire()
                case OpenSession() | Renew() | Verify() | Revoke():
                    self._start("request", self._fly, command)
                case RevokeOrphan():
                    self._start("revocation", self._revoke_orphan, command)
                case AskRenewal():
                    self._start("handler", self._ask_handler, command.attempt)
                case ReleaseWaiters():
                    self._engine.settle(command.attempt, error)
                case _:
                    assert_never(command)
        if entry.waiter is not None:
            entry.waiter.settle(error)

    async def _start_jobs(self) -> None:
        """Start what was asked for from anywhere: in a task, since a loop's bare callback can start none."""
        while True:
            event = self._asked.listen()
            while self._jobs:
                job, arguments = self._jobs.popleft()
                self._begin(self._run_callbacks, job, *arguments)
            if self._stopped.is_set():
                return
            await event.wait()

    async def _run_callbacks(self, job: Callable[..., Any], *arguments: object) -> None:
        # Shielded: what has happened the app hears to the end, though the session be closed.
        with anyio.CancelScope(shield=True) as scope:
            self._callbacks.add(scope)
            if self._stopping:
                self.let_callbacks_end()
            await job(*arguments)
        self._callbacks.discard(scope)

    def let_callbacks_end(self) -> None:
        """Give hooks and observers that are still at it a bounded time."""
        self._hooked.fire()
        self._asked.fire()
        for scope in self._callbacks:
            scope.deadline = anyio.current_time() + self._engine.config.wait_limit

    async def _run_until_closed(self, job: Callable[..., Any], *arguments: object) -> None:
        # Shielded: whoever cancels the block does not mean this, for its own shielded clean-up may
        # wait for a request, a handler or the time. [LOGOUT-4] [EXPIRE-4]
        with anyio.CancelScope(shield=True) as scope:
            self._until_closed.add(scope)
            if self._closed:
                scope.cancel()
            await job(*arguments)
        self._until_closed.discard(scope)

    def close(self) -> None:
        """End requests, questions to handlers, and the watch over the clock."""
        self._closed = True
        for scope in self._until_closed:
            scope.cancel()

    def _start(self, name: str, job: Callable[..., Any], *arguments: object) -> None:
        if not self._stopping:
            self._begin(self._run_until_closed, self._run, name, job, *arguments)

    async def _run(self, name: str, job: Callable[..., Any], *arguments: object) -> None:
        try:
            await job(*arguments)
        except Exception:  # a clock's, say: the app's block is not to end by it
            logger.exception("%s failed", name)

    # ── The store ───────────────────────────────────────────────────────────────────────────────

    async def in_store(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Call what blocks in the store, on a thread of its own unless it only remembers."""
        if isinstance(self._store, MemoryStore):
            return function(*arguments)
        with anyio.CancelScope(shield=True):
            return await on_thread(function, *arguments)

    async def in_store_to_the_end(self, function: Callable[..., Any], *arguments: object) -> Any:
        """The same for who opens the session: it hears what the store says, though it be cancelled."""
        if isinstance(self._store, MemoryStore):
            return function(*arguments)
        return await on_thread_to_the_end(function, *arguments)

    # ── The platform ────────────────────────────────────────────────────────────────────────────

    async def _fly(self, command: Attempt) -> None:
        answer = await self._ask_platform(command)
        for fact in facts(command, answer):
            credential = minted_by(fact)
            if not self._post(fact) and credential is not None:
                await self._revoke_orphan(RevokeOrphan(credential))

    async def _revoke_orphan(self, command: RevokeOrphan) -> None:
        answer = await self._ask_platform(command)
        if answer.failure is not None:
            logger.info("a token nobody uses could not be revoked: %s", answer.failure.kind.value)

    async def _ask_platform(self, command: Attempt | RevokeOrphan) -> Answer:
        try:
            return checked(await contained(self._request(command)))
        except Exception as error:
            # Its message and frames may hold what was sent. [SECRET-1]
            logger.error("the platform adapter raised %s", type(error).__name__)  # noqa: TRY400
        return Answer(failure=Failure(FailureKind.UNREACHABLE))

    async def _request(self, command: Attempt | RevokeOrphan) -> Answer:
        match command:
            case OpenSession() | Renew():
                return await self._platform.open_session(command.grant, device_id=self.device_id)
            case Verify():
                return await self._platform.verify(command.credential.access_token)
            case Revoke() | RevokeOrphan():
                return await self._platform.revoke(command.credential.access_token)

    def _post(self, fact: Fact) -> bool:
        """Have the core take a fact. Whether there still is one to take it."""
        try:
            self._engine.post(fact, whenever=True)
        except (SessionClosed, ForkedSessionError):
            logger.debug("the session object is gone; an answer is dropped")
            return False
        return True

    # ── The app ─────────────────────────────────────────────────────────────────────────────────

    async def _ask_handler(self, attempt: int) -> None:
        limits = self._engine.config.limits
        # The handlers first: should another user log in meanwhile, the snapshot shows that this
        # renewal is over, whosever handlers these are. [HANDLER-1]
        handlers = self._handlers()
        asked = question(attempt, self._engine.snapshot, *handlers, limits, self._post)
        if isinstance(asked, RenewalUnable):
            self._post(asked)
        elif asked is not None:
            await self._ask(attempt, asked)

    async def _ask(self, attempt: int, asked: Question) -> None:
        try:
            sealed = Sealed(await self._call(asked))
            if asked.returns_token:
                self._post(token_answer(attempt, asked.user_id, sealed, self._engine.server_now()))
            elif unable := handler_returned(attempt, sealed, self._engine.snapshot):
                self._post(unable)
        except Exception as error:
            self._post(handler_failed(attempt, error))

    async def _call(self, asked: Question) -> object:
        """Call the app's function: in the loop if it is async, else on a thread, for it may block."""
        if not self._questions.acquire(blocking=False):
            raise InterruptedByError(TOO_MANY)
        try:
            if is_async(asked.function):
                return await called(asked.function, asked.argument)
            sealed = Sealed(await contained(on_thread(asked.function, asked.argument)))
            return await contained(sealed.value) if inspect.isawaitable(sealed.value) else sealed.value
        finally:
            self._questions.release()

    async def _run_hooks(self) -> None:
        while True:
            event = self._hooked.listen()
            while self._calls:
                call = self._calls.popleft()
                hook = self._hooks.get(call.hook)
                if hook is None:
                    continue
                try:
                    await called(hook, call)
                except Exception:
                    logger.exception("the hook %s failed", call.hook)
            if self._stopped.is_set():
                return
            await event.wait()

    # ── Time ────────────────────────────────────────────────────────────────────────────────────

    async def _watch_clock(self) -> None:
        while True:
            event = self._work.listen()
            # Not for long while something is to come: machines sleep, and clocks are set. [EXPIRE-4]
            with anyio.move_on_after(self._tick()):
                await event.wait()

    def _tick(self) -> float:
        """Apply what is due. Gives the seconds until the next look at the clock."""
        recheck = self._engine.config.recheck
        try:
            delay = self._engine.tick()
        except Exception:  # a clock's, say: the app's block is not to end by it
            logger.exception("the session could not look at the time")
            return recheck
        return math.inf if delay is None else min(delay, recheck)
