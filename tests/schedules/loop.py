"""An event loop of asyncio in which somebody else decides what runs next, by a clock of its own.

A *step* is one callback, so a task runs from one await to the next. Whatever is ready may run next:
asyncio's promise of first come, first served holds within one loop, but what is ready at all depends
on threads, sockets and the machine, and nothing of ours may lean on it. Time stands still while there
is something to do, and jumps to the next timer when there is nothing. It may also jump before, for
machines are slow: that is the last alternative at every decision.

Nothing here reaches the world: no sockets, no threads. What the driver would have a thread do is one
more step of the loop (`Threads`): a store's or a handler's call is not interrupted in the middle.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast

from tests.schedules.choices import Choices, DeadlockError


class ChosenLoop(asyncio.BaseEventLoop):
    """See the module."""

    _ready: "deque[asyncio.Handle]"
    _scheduled: list[asyncio.TimerHandle]

    def __init__(
        self, choices: Choices, *, early: bool = True, each_step: Callable[[], None] = lambda: None
    ) -> None:
        """Make a loop.

        Args:
            choices: decides.
            early: whether time may pass while there is something to do.
            each_step: called before every step.
        """
        super().__init__()
        self.choices = choices
        self.early = early
        self.lost = 0.0
        """Seconds that passed while there was something to do."""
        self._each_step = each_step
        self._time = 0.0
        self._tasks = 0
        self.set_task_factory(cast("Any", self._make_task))
        # There is no other thread.
        self.call_soon_threadsafe = self.call_soon  # type: ignore[method-assign]

    def time(self) -> float:
        """Seconds since this loop was made, by its own clock."""
        return self._time

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **named: Any
    ) -> Any:
        self._tasks += 1
        return _Task(self._tasks, coro, loop=loop, **named)

    def _run_once(self) -> None:
        self._each_step()
        while self._ready and self._ready[0].cancelled():
            self._ready.popleft()
        if not self._ready:
            self._pass_time()
            return
        live = [handle for handle in self._ready if not handle.cancelled()]
        timer = self.early and self._next_timer() is not None
        taken = self.choices.choose(len(live) + timer, lambda i: _name(live[i]) if i < len(live) else "time")
        if taken == len(live):
            before = self._time
            self._pass_time()
            self.lost += self._time - before
            return
        self._ready.remove(live[taken])
        live[taken]._run()

    def _next_timer(self) -> asyncio.TimerHandle | None:
        while self._scheduled and self._scheduled[0].cancelled():
            heapq.heappop(self._scheduled)
        return self._scheduled[0] if self._scheduled else None

    def _pass_time(self) -> None:
        """Jump to the next timer, and have ready whatever is due then."""
        timer = self._next_timer()
        if timer is None:
            if self._stopping:  # type: ignore[attr-defined]
                return
            raise DeadlockError("nothing will ever happen any more")
        self._time = max(self._time, timer.when())
        while (timer := self._next_timer()) is not None and timer.when() <= self._time:
            self._ready.append(heapq.heappop(self._scheduled))

    def _process_events(self, event_list: Any) -> None:
        """There are none."""

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is passed over when its time comes."""


class _Task(asyncio.Task[Any]):
    """A task with a number for a hash: sets of tasks, of which anyio has some, go in the same order each time."""

    def __init__(self, number: int, coro: Coroutine[Any, Any, Any], **named: Any) -> None:
        self._number = number  # first of all, for the task is put into a set when it is made
        super().__init__(coro, **named)

    def __hash__(self) -> int:
        return self._number


def _name(handle: asyncio.Handle) -> str:
    callback = handle._callback  # type: ignore[attr-defined]
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"{owner.get_name()}"
    return str(getattr(callback, "__qualname__", type(callback).__name__))


def run_in_chosen_loop(loop: ChosenLoop, main: Callable[[], Coroutine[Any, Any, None]]) -> list[str]:
    """Run to the end; gives the names of tasks that are left then."""
    try:
        loop.run_until_complete(main())
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        return [task.get_name() for task in left]
    finally:
        loop.choices.paused = True
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(_settle(loop))
        loop.close()


async def _settle(loop: ChosenLoop) -> None:
    left = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    await asyncio.wait(left, timeout=1.0) if left else None


class Threads:
    """Stands in for `threading` where the async driver starts a thread: its work is a step of the loop."""

    def __init__(self, soon: Callable[[Callable[[], object]], object]) -> None:
        self._soon = soon

    def Thread(self, *, target: Callable[[], object], **named: Any) -> "Threads._Started":  # noqa: N802
        """A thread that is a step."""
        return Threads._Started(lambda: self._soon(target))

    class _Started:
        def __init__(self, start: Callable[[], object]) -> None:
            self.start = start
