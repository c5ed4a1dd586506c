"""A clock that a test moves by hand."""

import math
import threading
from collections.abc import Callable

from splus_session._errors import InvalidArgumentError

__all__ = ["ManualClock"]


class ManualClock:
    """A `ports.Clock` that stands still until it is moved. Thread-safe.

    Three times are told apart, because clients get them mixed up [EXPIRE-4]: the wall clock
    (`now`), which somebody may set; the monotonic one, which stops while the machine sleeps; and
    the true time (`true_now`), which nobody can set: a `FakePlatform` lives by it.

    Args:
        start: where the wall clock begins, in UTC seconds.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._true = _finite(start)
        self._error = 0.0
        self._monotonic = 0.0
        self._callbacks: dict[object, Callable[[], None]] = {}

    def __repr__(self) -> str:
        return f"ManualClock(now={self.now()!r})"

    def now(self) -> float:
        """What the wall clock shows, in UTC seconds."""
        with self._lock:
            return self._true + self._error

    def true_now(self) -> float:
        """The true time, in UTC seconds: the wall clock's, had nobody set it."""
        with self._lock:
            return self._true

    def monotonic(self) -> float:
        """Seconds that passed while the machine was awake."""
        with self._lock:
            return self._monotonic

    def on_jump(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after every move of this clock, in the thread that moved it and outside
        locks. Gives back what ends that; ending it twice is fine."""
        key = object()
        with self._lock:
            self._callbacks[key] = callback

        def end() -> None:
            with self._lock:
                self._callbacks.pop(key, None)

        return end

    def advance(self, seconds: float) -> None:
        """Let time pass, on every clock.

        Raises:
            InvalidArgumentError: less than nothing, or no finite number.
        """
        self._move(true=_span(seconds), monotonic=seconds)

    def sleep(self, seconds: float) -> None:
        """Let the machine sleep: time passes, and the monotonic clock misses it.

        Raises:
            InvalidArgumentError: less than nothing, or no finite number.
        """
        self._move(true=_span(seconds))

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back if negative. No time passes.

        Raises:
            InvalidArgumentError: no finite number.
        """
        self._move(error=_finite(seconds))

    def _move(self, *, true: float = 0.0, error: float = 0.0, monotonic: float = 0.0) -> None:
        with self._lock:
            self._true += true
            self._error += error
            self._monotonic += monotonic
            callbacks = tuple(self._callbacks.values())
        for callback in callbacks:
            callback()


def _finite(seconds: float) -> float:
    if isinstance(seconds, bool) or not math.isfinite(seconds):
        raise InvalidArgumentError(f"a time is a finite number of seconds, not {seconds!r}")
    return seconds


def _span(seconds: float) -> float:
    if _finite(seconds) < 0:
        raise InvalidArgumentError(f"time does not pass backwards: {seconds!r} s; see jump()")
    return seconds
