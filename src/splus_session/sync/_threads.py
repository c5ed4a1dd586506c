"""Threads that come and go: an idle session has none, and none keeps the process alive."""

import heapq
import itertools
import logging
import math
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable

from splus_session._engine import Engine
from splus_session.sync._signal import Signal

logger = logging.getLogger("splus_session")

Job = Callable[[], object]


def start(job: Job, name: str) -> None:
    """Run a job on a daemon thread of its own. What it raises is logged."""

    def run() -> None:
        try:
            job()
        except Exception:
            logger.exception("%s failed", name)

    try:
        threading.Thread(target=run, name=f"splus-session {name}", daemon=True).start()
    except RuntimeError:
        run()  # the interpreter is going down and starts no threads any more


class Series:
    """Runs jobs one after the other, on a thread that lives while there are any."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._running = False
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        """Run a job after those before it. Never blocks."""
        with self._lock:
            self._jobs.append(job)
            if self._running:
                return
            self._running = True
        start(self._run, self._name)

    def finish(self, until: float) -> None:
        """Wait for the jobs there are, at most until `until` (monotonic). Not from one of them."""
        if self._thread is threading.current_thread():
            return
        finished = threading.Event()
        with self._lock:
            if not self._running:
                return
            self._jobs.append(finished.set)
        finished.wait(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        self._thread = threading.current_thread()
        while True:
            with self._lock:
                if not self._jobs:
                    self._running = False
                    self._thread = None
                    return
                job = self._jobs.popleft()
            try:
                job()
            except BaseException:  # a SystemExit, say: the jobs after it are to run
                logger.exception("%s failed", self._name)


class Watcher:
    """Ticks every open session of the process when something is due. One daemon thread for all."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # When to tick each, by the monotonic clock; infinite while it is being ticked.
        self._times: weakref.WeakKeyDictionary[Engine[Signal], float] = weakref.WeakKeyDictionary()
        # The same in order; an entry that `_times` does not bear out any more is passed over.
        self._queue: list[tuple[float, int, weakref.ref[Engine[Signal]]]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def watch(self, engine: Engine[Signal]) -> None:
        """Tick this engine now, and then whenever something is due."""
        with self._changed:
            self._tick_at(engine, 0.0)
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="splus-session watcher", daemon=True)
                thread.start()
                self._thread = thread

    def look_again(self, engine: Engine[Signal]) -> None:
        """The engine's deadline may have moved."""
        with self._changed:
            if self._times.get(engine, 0.0) > 0.0:
                self._tick_at(engine, 0.0)

    def forget(self, engine: Engine[Signal]) -> None:
        """Tick it no more."""
        with self._changed:
            self._times.pop(engine, None)

    def _tick_at(self, engine: Engine[Signal], at: float) -> None:
        self._times[engine] = at
        heapq.heappush(self._queue, (at, next(self._numbers), weakref.ref(engine)))
        self._changed.notify()

    def _run(self) -> None:
        while True:
            engine = self._next()
            self._tick(engine)
            del engine  # a session that nobody holds must be free to go

    def _next(self) -> Engine[Signal]:
        """Wait for the next engine that something is due for."""
        with self._changed:
            while True:
                left = self._queue[0][0] - time.monotonic() if self._queue else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                at, _, reference = heapq.heappop(self._queue)
                engine = reference()
                if engine is not None and self._times.get(engine) == at:
                    self._times[engine] = math.inf
                    return engine
                del engine

    def _tick(self, engine: Engine[Signal]) -> None:
        recheck = engine.config.recheck
        try:
            delay = engine.tick()
        except (
            Exception
        ):  # a clock's, say: it may be mended, and no session's trouble is another's [CLIENT-2]
            logger.exception("a session could not look at the time")
            delay = recheck
        if delay is None:
            return
        # Never long: machines sleep, and clocks are set. [EXPIRE-4]
        at = time.monotonic() + min(delay, recheck)
        with self._changed:
            # Another thread may have asked for a look meanwhile.
            if at < self._times.get(engine, 0.0):
                self._tick_at(engine, at)


watcher = Watcher()


def _after_fork_in_child() -> None:
    # The thread did not come along, and the lock may be held by nobody.
    watcher.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
