"""Waking tasks in any event loop, of asyncio or trio, from any thread."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel


class Signal:
    """Wakes every task that listens, each in its own loop.

    anyio's events belong to one loop, so there is one for each loop that listens, and it is set
    by that loop's own thread-safe call. Ten thousand tasks of one loop share one event.
    """

    __slots__ = ("_events", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[object, anyio.Event] = {}

    def listen(self) -> anyio.Event:
        """What is set when this fires next. Listen first, then look, then wait: no wake-up is lost."""
        loop = anyio.lowlevel.current_token().native_token
        with self._lock:
            event = self._events.get(loop)
            if event is None:
                event = self._events[loop] = anyio.Event()
        return event

    def fire(self) -> None:
        """Wake whoever listens now."""
        with self._lock:
            events, self._events = self._events, {}
        for loop, event in events.items():
            call_in(loop, event.set)


def call_in(loop: Any, function: Callable[[], object]) -> None:
    """Call a function in a loop, given as anyio's native token, soon; from any thread."""
    call = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
    with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits in it any more
        call(function)


def never() -> bool:
    """No."""
    return False


def look_at_closed(loop: Any) -> Callable[[], bool]:
    """Tells whether nothing runs any more in a loop, given as anyio's native token. One of trio does not
    end before all that runs in it; one of asyncio may be closed with its tasks left as they were."""
    return getattr(loop, "is_closed", never)
