"""Threads of which one runs at a time, and somebody else decides which, by a clock of its own.

`Interleaver.threading` and `.time` stand in for the modules of these names where the threaded driver
uses them. A thread may be interrupted wherever it takes a lock, waits, wakes others or starts a thread;
and, if `lines` are given, before each line of those files. Alternative 0 is that the
thread goes on, so a deviation is a *preemption*. Time stands still while some thread can run, and
jumps to the next end of somebody's waiting when none can; it may jump before, as the last
alternative at every decision. If nobody can run and nobody waits for a time, that is a deadlock.

Between two such points a thread is taken to be alone. The interpreter interrupts at finer ones:
`pieces.py` has those parts searched byte code by byte code.
"""

import _thread
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

from tests.schedules.choices import Choices, DeadlockError

PATIENCE = 30.0
"""Real seconds after which a thread counts as stuck in something that is not under control here."""


class EndedError(BaseException):
    """Ends the threads that are left."""


class Interleaver:
    """See the module."""

    def __init__(
        self,
        choices: Choices,
        *,
        early: bool = True,
        lines: frozenset[str] = frozenset(),
        each_step: Callable[[], None] = lambda: None,
    ) -> None:
        """Make one.

        Args:
            choices: decides.
            early: whether time may pass while some thread can run.
            lines: files before each line of which a thread may be interrupted.
            each_step: called at every such point.
        """
        self.choices = choices
        self.now = 0.0
        self.lost = 0.0
        """Seconds that passed while some thread could run."""
        self.current = _Controlled("the test")
        self.threads = [self.current]
        """All that were started and have not ended."""
        self.threading = _Threading(self)
        self.time = types.SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now)
        self._early = early
        self._lines = lines
        self._each_step = each_step
        self._error: BaseException | None = None
        self._ending = False

    # ── What a thread does ──────────────────────────────────────────────────────────────────────

    def point(self) -> None:
        """The thread may be interrupted here."""
        if self._is_ours():
            self._each_step()
            self._go_on(self._choose())

    def wait_for(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Have the thread wait until something holds, or so many seconds; gives whether it holds."""
        if not self._is_ours():
            return ready()
        me = self.current
        me.ready = ready
        me.until = None if timeout is None else self.now + max(0.0, timeout)
        try:
            self._each_step()
            self._go_on(self._choose())
        finally:
            me.ready = me.until = None
        return ready()

    def sleep(self, seconds: float) -> None:
        """Have the thread wait."""
        self.wait_for(lambda: False, seconds)

    def start(self, target: Callable[[], object], name: str) -> "_Controlled":
        """Start a thread."""
        thread = _Controlled(name)
        self.threads.append(thread)
        _thread.start_new_thread(self._run, (thread, target))
        self.point()
        return thread

    def end(self) -> list[str]:
        """End the threads that are left, as the test's own; gives their names."""
        left = [thread.name for thread in self.threads if thread is not self.current]
        self._ending = True
        for thread in [thread for thread in self.threads if thread is not self.current]:
            thread.turn.release()
            assert thread.gone.acquire(timeout=PATIENCE), f"{thread.name} does not end"
        return left

    # ── Who runs ────────────────────────────────────────────────────────────────────────────────

    def _is_ours(self) -> bool:
        if self._ending:
            if self.current.ident != threading.get_ident():
                raise EndedError
            return False
        return True

    def _choose(self) -> "_Controlled":
        """Who goes on; in a deadlock the test, to fail by it."""
        while True:
            able = [thread for thread in self.threads if thread.able(self.now)]
            able.sort(key=lambda thread: thread is not self.current)  # who runs, goes on
            later = [t.until for t in self.threads if t.until is not None and t.until > self.now]
            if not able and not later:
                self._error = DeadlockError("nobody can go on: " + ", ".join(map(str, self.threads)))
                return self.threads[0]
            early = bool(later and able and self._early)

            def label(i: int, able: "list[_Controlled]" = able) -> str:
                return able[i].name if i < len(able) else "time"

            taken = self.choices.choose(len(able) + early, label) if able else 0
            if taken < len(able):
                return able[taken]
            if able:
                self.lost += min(later) - self.now
            self.now = min(later)

    def _go_on(self, thread: "_Controlled") -> None:
        me = self.current
        if thread is not me:
            self.current = thread
            thread.turn.release()
            self._await_turn(me)
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _await_turn(self, me: "_Controlled") -> None:
        if not me.turn.acquire(timeout=PATIENCE):
            raise DeadlockError(f"{me.name} never got its turn: {self.current.name} is stuck")
        if self._ending and self.current is not me:
            raise EndedError

    def _run(self, thread: "_Controlled", target: Callable[[], object]) -> None:
        thread.ident = threading.get_ident()
        try:
            self._await_turn(thread)
            if self._lines:
                sys.settrace(self._trace)
            target()
        except EndedError:
            pass
        finally:
            sys.settrace(None)
            self.threads.remove(thread)
            thread.gone.release()
            if not self._ending:
                self._hand_over()

    def _hand_over(self) -> None:
        """A thread is done: somebody else goes on."""
        self.current = self._choose()
        self.current.turn.release()

    def _trace(self, frame: types.FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in self._lines:
            return None
        if event == "line":
            self.point()
        return self._trace


class _Controlled:
    """One thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ident = threading.get_ident()
        self.ready: Callable[[], bool] | None = None
        self.until: float | None = None
        # Bare locks, given back by another thread: what is built of them takes twice the time.
        self.turn, self.gone = threading.Lock(), threading.Lock()
        self.turn.acquire()
        self.gone.acquire()

    def __str__(self) -> str:
        return f"{self.name} waits" if self.ready else self.name

    def able(self, now: float) -> bool:
        """Whether it can run."""
        return self.ready is None or self.ready() or (self.until is not None and self.until <= now)


class _Threading:
    """What the driver uses of `threading`."""

    def __init__(self, interleaver: Interleaver) -> None:
        self._interleaver = interleaver

    def Lock(self) -> "_Lock":  # noqa: N802
        return _Lock(self._interleaver)

    def Event(self) -> "_Event":  # noqa: N802
        return _Event(self._interleaver)

    def Condition(self) -> "_Condition":  # noqa: N802
        return _Condition(self._interleaver)

    def Semaphore(self, value: int) -> threading.Semaphore:  # noqa: N802
        return threading.Semaphore(value)  # nobody waits for one

    def Thread(self, *, target: Callable[[], object], name: str, daemon: bool) -> "_Thread":  # noqa: N802
        return _Thread(self._interleaver, target, name)

    def current_thread(self) -> _Controlled:
        return self._interleaver.current


class _Thread:
    def __init__(self, interleaver: Interleaver, target: Callable[[], object], name: str) -> None:
        self.start = lambda: interleaver.start(target, name)


class _Lock:
    def __init__(self, interleaver: Interleaver) -> None:
        self._interleaver = interleaver
        self._held = False

    def __enter__(self) -> "_Lock":
        self._interleaver.point()
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self._held = False

    def take(self) -> None:
        self._interleaver.wait_for(lambda: not self._held) if self._held else None
        self._held = True

    def locked(self) -> bool:
        return self._held


class _Condition(_Lock):
    def __init__(self, interleaver: Interleaver) -> None:
        super().__init__(interleaver)
        self._told: list[list[bool]] = []

    def wait(self, timeout: float | None = None) -> bool:
        told = [False]
        self._told.append(told)
        self._held = False
        self._interleaver.wait_for(lambda: told[0], timeout)
        if told in self._told:
            self._told.remove(told)
        self.take()
        return told[0]

    def notify(self) -> None:
        if self._told:
            self._told.pop(0)[0] = True

    def notify_all(self) -> None:
        while self._told:
            self.notify()


class _Event:
    def __init__(self, interleaver: Interleaver) -> None:
        self._interleaver = interleaver
        self._is_set = False

    def set(self) -> None:
        self._interleaver.point()
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            self._interleaver.wait_for(lambda: self._is_set, timeout)
        return self._is_set
