"""Waiting for what a test decides: in a thread, in asyncio and in trio, by one clock for all of them.

A `Pause` says how long it still takes and who is to be told when that changes; how to wait for it
is the waiter's matter. So one fault can hold up a thread, a task or a socket.
"""

import asyncio
import math
import threading
from collections.abc import Callable, Generator
from typing import Any, Protocol

import anyio

from splus_session.ports import Clock

LONGEST = 3600.0
"""Seconds before a waiter looks again, come what may: far below what timers can't hold."""


class Pause(Protocol):
    """Something to wait for."""

    def left(self) -> float:
        """Seconds until it is over: 0 if it is, infinite if no time but only a change ends it."""
        ...

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback`, from any thread, whenever `left` may have dropped. Gives back what ends that."""
        ...


class Signal:
    """A pause that ends once, when it is told to: `set()` it, `wait()` or `await` it, from anywhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._callbacks: dict[object, Callable[[], None]] = {}

    def __repr__(self) -> str:
        return f"<Signal: {'set' if self.is_set() else 'not set'}>"

    def set(self) -> None:
        """End the pause, from any thread. Doing it again does nothing."""
        with self._lock:
            self._is_set = True
            callbacks = tuple(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set

    def wait(self, timeout: float = 30.0) -> None:
        """Block this thread until it is set.

        Raises:
            TimeoutError: it was not, for `timeout` real seconds: a hang is a failure with a name.
        """
        done = threading.Event()
        end = self.on_change(done.set)
        try:
            if not self._is_set and not done.wait(timeout):
                raise TimeoutError(f"nobody set the signal for {timeout:g} s")
        finally:
            end()

    def __await__(self) -> Generator[Any, Any, None]:
        return wait_async(self).__await__()

    def left(self) -> float:
        """0 once it is set."""
        return 0.0 if self._is_set else math.inf

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when it is set."""
        key = object()
        with self._lock:
            self._callbacks[key] = callback

        def end() -> None:
            with self._lock:
                self._callbacks.pop(key, None)

        return end


class Until:
    """A pause of some seconds by a clock, machine's or manual, from now on."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds

    def left(self) -> float:
        """Seconds until its end."""
        return max(0.0, self._end - self._clock.monotonic())

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever the clock is moved by hand."""
        return self._clock.on_jump(callback)


class First:
    """A pause that is over as soon as one of several is."""

    def __init__(self, *pauses: Pause) -> None:
        self._pauses = pauses

    def left(self) -> float:
        """Seconds until the first is over."""
        return min(pause.left() for pause in self._pauses)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` on a change of any."""
        ends = [pause.on_change(callback) for pause in self._pauses]

        def end() -> None:
            for each in ends:
                each()

        return end


def wait(pause: Pause) -> None:
    """Block this thread until the pause is over."""
    changed = threading.Event()
    end = pause.on_change(changed.set)
    try:
        while (left := pause.left()) > 0:
            changed.wait(min(left, LONGEST))
            changed.clear()
    finally:
        end()


async def wait_async(pause: Pause) -> None:
    """Suspend this task, of asyncio or trio, until the pause is over."""
    wake = _in_this_loop()
    changed = anyio.Event()
    end = pause.on_change(lambda: wake(lambda: changed.set()))
    try:
        while (left := pause.left()) > 0:
            with anyio.move_on_after(min(left, LONGEST)):
                await changed.wait()
            changed = anyio.Event()
    finally:
        end()


def _in_this_loop() -> Callable[[Callable[[], object]], None]:
    """What runs a function in the loop that is running here, from any thread.

    The loops' own calls: anyio's way from a thread waits for its result, and refuses in the loop.
    """
    try:
        soon: Callable[[Callable[[], object]], object] = asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio

        soon = trio.lowlevel.current_trio_token().run_sync_soon

    def wake(function: Callable[[], object]) -> None:
        try:
            soon(function)
        except RuntimeError:  # the loop is over, and with it whoever waited there
            return

    return wake
