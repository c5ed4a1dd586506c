"""Whether everything in this process waits, and none of it for something that has come already.

Nobody can stop all threads at once to look, so they are looked at twice. A thread that waited for
one and the same thing both times has waited in between; if all have, there was a moment at which all
of them did, and nobody was left to wake another. That holds for what a thread is seen to wait for:

- An event loop says itself that it waits, and its queue of callbacks is empty.
- A thread in `threading.Condition.wait` (events, queues and futures all end there) waits if it is
  still on the condition's list. Whoever wakes it takes it off, long before it runs.
- Any other thread waits in the system: for a socket or a plain lock, say. Linux tells whether it
  sleeps, and how often it has begun to: if neither changed though the interpreter's lock was to be
  had in between, it does not wait for that lock. Elsewhere it must stay in one place for longer.
"""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

import attrs

__all__ = ["Stillness"]

_GAP: Final = 0.000_05
"""Seconds between two looks. The interpreter's lock is free in between: who waits for it shows."""
_GUESSES: Final = 5
_LONG_GAP: Final = 0.001
_TASKS: Final = "/proc/self/task" if sys.platform == "linux" else ""
_IMPORTS: Final[Mapping[str, object]] = getattr(sys.modules["_frozen_importlib"], "_module_locks", {})
"""The importer's locks, by module: there are some as long as something is imported."""
_WAIT: Final = threading.Condition.wait.__code__


@attrs.frozen
class _Look:
    """What each thread waits for; two of these are equal if all of them still wait for the same."""

    waits: Mapping[int, object]
    count: int
    is_sure: bool


class Stillness:
    """Looks at every thread of the process but the one that asks.

    Args:
        loops: by thread, what its event loop waits with, or None if it is at work.
        is_working: whether somebody has said to be at work, though a thread seems to wait.
        count: grows with everything that happens.
    """

    def __init__(
        self,
        loops: Mapping[int, Callable[[], object | None]],
        is_working: Callable[[], bool],
        count: Callable[[], int],
    ) -> None:
        self._loops = loops
        self._is_working = is_working
        self._count = count

    def holds(self) -> bool:
        """Whether nothing happens any more without something from outside."""
        first = self._look()
        if first is None:
            return False
        for _ in range(1 if first.is_sure else _GUESSES):
            time.sleep(_GAP if first.is_sure else _LONG_GAP)
            if self._look() != first:
                return False
        return True

    def _look(self) -> _Look | None:
        """What everybody waits for; None if somebody does not."""
        count = self._count()
        threads = threading.enumerate()
        # A module may wait for something that is neither platform nor time, such as a process.
        if self._is_working() or _is_anyone_importing() or any(map(_is_beginning, threads)):
            return None
        waits = _waits(self._loops)
        if waits is None:
            return None
        known = {thread.ident: thread.native_id for thread in threads}
        is_sure = True
        for ident, wait in waits.items():
            if isinstance(wait, _Place):
                slept = _slept(known.get(ident))
                if slept == "":
                    return None
                waits[ident] = (wait, slept)
                is_sure = is_sure and slept is not None
        return _Look(waits, count, is_sure)


def _is_beginning(thread: threading.Thread) -> bool:
    """Whether a thread is being started: who starts it waits, and the system does not tell of it yet."""
    return thread.ident is None or (bool(_TASKS) and thread.native_id is None)


@attrs.frozen
class _Place:
    """Where a thread is in its code. It holds no frame, whose variables would live on by that."""

    frame: int
    instruction: int


def _waits(loops: Mapping[int, Callable[[], object | None]]) -> dict[int, object] | None:
    """By thread, what it waits for as far as Python knows; None if one is seen to be at work."""
    ours = threading.get_ident()
    frames = _frames()
    waits: dict[int, object] = {}
    try:
        for ident, frame in frames.items():
            if ident == ours:
                continue
            waits_with = loops.get(ident)
            wait = _wait_of(frame) if waits_with is None else waits_with()
            if wait is None:
                return None
            waits[ident] = wait
        return waits
    finally:
        frames.clear()  # our own frame is in there, and would hold itself


def _frames() -> dict[int, FrameType]:
    """By thread, where it is.

    Now and then CPython 3.11 does not come back from there, if the garbage collector runs meanwhile
    (gh-106883). So that rests.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()  # pyright: ignore[reportPrivateUsage]  documented
    finally:
        if collects:
            gc.enable()


def _wait_of(frame: FrameType) -> object | None:
    if frame.f_code is not _WAIT:
        return _Place(id(frame), frame.f_lasti)
    names = frame.f_locals
    waiter, waiters = names.get("waiter"), getattr(names.get("self"), "_waiters", ())
    return waiter if waiter is not None and waiter in waiters else None


def _is_anyone_importing() -> bool:
    """Whether a module is being imported.

    Read off the importer's own locks: to go from another thread's frame to the one before it can end the
    process, since that thread runs on (seen with CPython 3.11.7).
    """
    return bool(_IMPORTS)


def _slept(native_id: int | None) -> str | None:
    """How often a thread has gone to sleep; empty if it does not sleep; None if nobody knows."""
    if native_id is None or not _TASKS:
        return None
    try:
        descriptor = os.open(f"{_TASKS}/{native_id}/status", os.O_RDONLY)
    except OSError:
        return ""  # it has ended meanwhile
    try:
        status = os.read(descriptor, 4096).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    _, _, state = status.partition("\nState:\t")
    _, _, switches = status.partition("\nvoluntary_ctxt_switches:")
    return switches if state.startswith("S") else ""
