"""Faults that a driver could have, each with the scene and the words in which it has to show.

Each is a slip of somebody who edits the engine or a driver: a lock let go too early, a look before
the ear is open, a wake-up that nobody sends. Many do no harm in the order in which things usually
happen; those are the ones that a search of the schedules is for.
"""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import anyio
import pytest

from splus_session import SessionClosed
from splus_session._commands import Persist, RunHook
from splus_session._core import Granted
from splus_session._engine import Engine, Entry, Flight
from splus_session._events import RenewalFailed
from splus_session._observers import Mailbox, Observers
from splus_session._renewals import MANY
from splus_session.aio import Session as AsyncSession
from splus_session.aio._worker import Worker as AsyncWorker
from splus_session.sync import Session as ThreadedSession
from splus_session.sync import _signal, _threads
from splus_session.sync._signal import Signal as ThreadSignal
from splus_session.sync._threads import Series, Watcher, start
from splus_session.sync._worker import Worker as ThreadedWorker

Plant = Callable[[pytest.MonkeyPatch], None]


class Mutant(NamedTuple):
    """A fault."""

    plant: Plant
    driver: str
    scene: str
    """Which scenario shows it, or which of the driver's pieces."""
    seen_as: str
    """What the failure says."""


MUTANTS: dict[str, Mutant] = {}
"""Each by its name."""


def mutant(driver: str, scene: str, seen_as: str) -> Callable[[Plant], Plant]:
    """Add a fault; its name is the function's."""

    def add(plant: Plant) -> Plant:
        place = driver if " " in scene else "a piece"
        MUTANTS[f"{plant.__name__.replace('_', ' ')} ({place})"] = Mutant(plant, driver, scene, seen_as)
        return plant

    return add


# ── The engine ──────────────────────────────────────────────────────────────────────────────────


@mutant("asyncio", "a renewal that has to be tried again", "a renewal is on its way")
@mutant("threads", "a login and who waits for it", "still waits")
def nobody_is_kicked_by_what_time_brings(patch: pytest.MonkeyPatch) -> None:
    tick = Engine.tick

    def tick_quietly(self: Engine[Any]) -> float | None:
        with pytest.MonkeyPatch.context() as quiet:
            quiet.setattr(self, "_kick", lambda: None)
            return tick(self)

    patch.setattr(Engine, "tick", tick_quietly)


@mutant("trio", "a plain logout overtakes a secure one", "the header is that of")
@mutant("threads", "a plain logout overtakes a secure one", "the header is that of")
def the_header_is_not_cut_at_commit(patch: pytest.MonkeyPatch) -> None:
    set_live = Engine._set_live

    def keep(self: Engine[Any]) -> None:
        if isinstance(self._core.authorization(), Granted):
            set_live(self)

    patch.setattr(Engine, "_set_live", keep)


@mutant("asyncio", "a closing with everybody waiting", "still waits")
@mutant("threads", "a closing with everybody waiting", "still waits")
def a_closing_wakes_nobody(patch: pytest.MonkeyPatch) -> None:
    def end(self: Engine[Any]) -> None:
        with self._lock:
            self._gone = self._gone or SessionClosed
            self.live = None
            self._flights.clear()

    patch.setattr(Engine, "end", end)


@mutant("threads", "the token expires, and everybody waits", "the header is that of")
def the_core_is_not_locked_for_a_tick(patch: pytest.MonkeyPatch) -> None:
    def tick(self: Engine[Any]) -> float | None:
        now = self.clock.now()
        steps = self._core.advance(now)
        with self._lock:
            released = self._commit(steps)
            deadline = self._core.deadline
        self._finish(steps, released)
        return None if deadline is None else max(0.0, deadline - now)

    patch.setattr(Engine, "tick", tick)


@mutant("threads", "StepsComeOutInTheOrderInWhichTheyWereTaken", "StepsComeOut")
def the_outbox_is_filled_after_the_commit(patch: pytest.MonkeyPatch) -> None:
    commit, finish = Engine._commit, Engine._finish
    waiting: dict[int, list[Entry[Any]]] = {}

    def commit_only(self: Engine[Any], *arguments: Any) -> Any:
        before = len(self._outbox)
        released = commit(self, *arguments)
        late = [self._outbox.pop() for _ in range(len(self._outbox) - before)]
        waiting.setdefault(id(arguments[0]), []).extend(reversed(late))
        return released

    def finish_and_fill(self: Engine[Any], steps: Any, released: Any) -> None:
        for flight in released:
            flight.signal.fire()
        with self._lock:
            self._outbox.extend(waiting.pop(id(steps), []))
        finish(self, steps, [])

    patch.setattr(Engine, "_commit", commit_only)
    patch.setattr(Engine, "_finish", finish_and_fill)


@mutant("asyncio", "a login and who waits for it", "is told of a login before")
@mutant("threads", "a login and who waits for it", "is told of a login before")
def an_attempt_is_settled_at_commit(patch: pytest.MonkeyPatch) -> None:
    release = Flight.release

    def settle(self: Flight[Any], failure: Any) -> None:
        release(self, failure)
        self.settled = True

    patch.setattr(Flight, "release", settle)


@mutant("asyncio", "a login and who waits for it", "still waits")
def who_waits_to_the_end_is_not_woken(patch: pytest.MonkeyPatch) -> None:
    def settle(self: Flight[Any], error: Any = None, *, closed: bool = False) -> None:
        self.error, self.closed = error, closed
        self.released = self.settled = True

    patch.setattr(Flight, "settle", settle)


# ── The drainers ────────────────────────────────────────────────────────────────────────────────


@mutant("asyncio", "a login and who waits for it", "was stored, told, settled")
@mutant("trio", "a logout during a login", "was stored, told, settled")
@mutant("threads", "a logout during a login", "was stored, told, settled")
def it_is_told_before_it_is_stored(patch: pytest.MonkeyPatch) -> None:
    take = Engine.take

    def swapped(self: Engine[Any]) -> Entry[Any] | None:
        entry = take(self)
        if entry is None:
            return None
        first = sorted(entry.commands, key=lambda command: isinstance(command, Persist))
        return entry._replace(commands=tuple(first))

    patch.setattr(Engine, "take", swapped)


@mutant("asyncio", "a ban and a logout", "was stored, told, settled")
@mutant("trio", "a ban and a logout", "was stored, told, settled")
def there_is_a_second_drainer(patch: pytest.MonkeyPatch) -> None:
    begin = AsyncWorker.start

    def begin_two(self: AsyncWorker, tasks: Any) -> None:
        begin(self, tasks)
        tasks.start_soon(self._drain)

    patch.setattr(AsyncWorker, "start", begin_two)


@mutant("threads", "a ban and a logout", "what was")
def every_kick_starts_a_drainer(patch: pytest.MonkeyPatch) -> None:
    def drain_anew(self: ThreadedWorker) -> None:
        start(self._drain, "drainer")

    patch.setattr(ThreadedWorker, "work", drain_anew)


@mutant("asyncio", "a logout during a login", "a request has not been sent")
@mutant("threads", "a logout during a login", "a request has not been sent")
def nobody_revokes_an_orphan(patch: pytest.MonkeyPatch) -> None:
    for kind in (AsyncWorker, ThreadedWorker):
        patch.setattr(kind, "_start", _unless_an_orphan(kind._start))


def _unless_an_orphan(begin: Callable[..., None]) -> Callable[..., None]:
    def start_most(self: Any, *what: Any) -> None:
        if "revocation" not in what:
            begin(self, *what)

    return start_most


@mutant("asyncio", "a closing with everybody waiting", "nothing will ever happen")
def a_closing_drainer_leaves_what_was_committed(patch: pytest.MonkeyPatch) -> None:
    take = Engine.take

    def take_unless_closed(self: Engine[Any]) -> Entry[Any] | None:
        return None if self._gone is not None else take(self)

    patch.setattr(Engine, "take", take_unless_closed)


# ── Waking ──────────────────────────────────────────────────────────────────────────────────────


@mutant("threads", "everybody wants to renew", "still waits")
@mutant("threads", "WhoWaitsForAFlightIsWoken", "nobody can go on")
def who_waits_looks_before_listening(patch: pytest.MonkeyPatch) -> None:
    def wait(self: ThreadedSession, flight: Any, *, settled: bool = True, until: float | None = None) -> bool:
        while not (flight.settled or (flight.released and not settled)):
            left = None if until is None else until - self._clock.monotonic()
            if left is not None and left <= 0:
                return False
            flight.signal.listen().wait(left)
        return True

    patch.setattr(ThreadedSession, "_wait", wait)


@mutant("threads", "WhoWaitsForAFlightIsWoken", "nobody can go on")
def two_who_listen_get_events_of_their_own(patch: pytest.MonkeyPatch) -> None:
    def listen(self: ThreadSignal) -> Any:
        event = self._event
        if event is None:
            event = _signal.threading.Event()  # type: ignore[attr-defined]
            self._event = event
        return event

    patch.setattr(ThreadSignal, "listen", listen)


@mutant("threads", "ASeriesRunsEveryJobAndOneAtATime", "ASeries")
def a_series_stops_without_looking_again(patch: pytest.MonkeyPatch) -> None:
    def run(self: Series) -> None:
        self._thread = threading.current_thread()
        while True:
            with self._lock:
                job = self._jobs.popleft() if self._jobs else None
            if job is None:
                with self._lock:
                    self._running, self._thread = False, None
                return
            job()

    patch.setattr(Series, "_run", run)


@mutant("threads", "ALookAskedForDuringATickIsNotLost", "ALookAskedFor")
def a_look_that_was_asked_for_during_a_tick_is_lost(patch: pytest.MonkeyPatch) -> None:
    def tick(self: Watcher, engine: Engine[Any]) -> None:
        delay = engine.tick()
        if delay is None:
            return
        now = _threads.time.monotonic()  # type: ignore[attr-defined]
        at = now + min(delay, engine.config.recheck)
        with self._changed:
            self._tick_at(engine, at)

    patch.setattr(Watcher, "_tick", tick)


@mutant("asyncio", "a renewal that has to be tried again", "late")
def the_clock_watcher_sleeps_on(patch: pytest.MonkeyPatch) -> None:
    async def watch(self: AsyncWorker) -> None:
        while True:  # noqa: ASYNC110
            await anyio.sleep(min(self._tick(), 30.0))

    patch.setattr(AsyncWorker, "_watch_clock", watch)


# ── Callers and observers ───────────────────────────────────────────────────────────────────────


@mutant("asyncio", "one who renews gives up, and others wait", "hears that the session is closed")
@mutant("trio", "one who renews gives up, and others wait", "hears that the session is closed")
def who_gives_up_ends_it_for_all(patch: pytest.MonkeyPatch) -> None:
    wait = AsyncSession._wait

    async def wait_or_end(self: AsyncSession, flight: Any, **named: Any) -> bool:
        try:
            return await wait(self, flight, **named)
        except BaseException:
            flight.settle(closed=True)
            raise

    patch.setattr(AsyncSession, "_wait", wait_or_end)


@mutant("threads", "AnObserverHearsEveryChangeFromWhereItComes", "AnObserverHears")
def an_observer_is_let_in_between_two_changes(patch: pytest.MonkeyPatch) -> None:
    def add(self: Observers[Any], signal: Any = None) -> Mailbox[Any]:
        mailbox: Mailbox[Any] = Mailbox(signal or self._signal())
        mailbox.put(self.last)
        with self._lock:
            self._mailboxes.add(mailbox)
        mailbox.signal.fire()
        return mailbox

    patch.setattr(Observers, "add", add)


@mutant("asyncio", "the token expires, and everybody waits", "a header that was not live")
def a_header_is_given_without_a_look_at_the_time(patch: pytest.MonkeyPatch) -> None:
    def authorize(self: Engine[Any], after: Any = None) -> Any:
        return self.live or authorize_well(self, after)

    authorize_well = Engine.authorize
    patch.setattr(Engine, "authorize", authorize)


@mutant("asyncio", "a login and who waits for it", "before what its step stores and tells")
def a_hook_is_called_before_its_step_is_told(patch: pytest.MonkeyPatch) -> None:
    take = Engine.take

    def hasty(self: Engine[Any]) -> Entry[Any] | None:
        entry = take(self)
        if entry is None:
            return None
        hooks_first = sorted(entry.commands, key=lambda command: not isinstance(command, RunHook))
        return entry._replace(commands=tuple(hooks_first))

    patch.setattr(Engine, "take", hasty)


# ── What takes long to show ─────────────────────────────────────────────────────────────────────


class Full(threading.Semaphore):
    """Of whom nobody ever gives anything back."""

    def release(self, n: int = 1) -> None:
        pass


def every_question_counts_as_open_for_ever(patch: pytest.MonkeyPatch) -> None:
    for kind in (AsyncWorker, ThreadedWorker):
        patch.setattr(kind, "_call", _keeping(kind._call))


def _keeping(call: Callable[..., Any]) -> Callable[..., Any]:
    def call_and_keep(self: Any, asked: Any) -> Any:
        if not isinstance(self._questions, Full):
            self._questions = Full(MANY)
        return call(self, asked)

    return call_and_keep


def a_failed_renewal_is_not_told(patch: pytest.MonkeyPatch) -> None:
    for kind in (AsyncWorker, ThreadedWorker):
        patch.setattr(kind, "_post", _telling_successes(kind._post))


def _telling_successes(post: Callable[..., Any]) -> Callable[..., Any]:
    def post_most(self: Any, fact: Any) -> None:
        if not isinstance(fact, RenewalFailed):
            post(self, fact)

    return post_most


IN_WEATHER: dict[str, Plant] = {
    plant.__name__.replace("_", " "): plant
    for plant in (every_question_counts_as_open_for_ever, a_failed_renewal_is_not_told)
}
"""Faults that show in a long life only."""
