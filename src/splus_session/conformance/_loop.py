"""An asyncio loop that says when it waits, and whose time is a clock's that is moved by hand."""

import asyncio
import math
import selectors
from collections.abc import Callable

from splus_session.ports import Clock

__all__ = ["Loop"]

_Ready = list[tuple[selectors.SelectorKey, int]]


class _Selector(selectors.DefaultSelector):
    """Where a loop waits, which is the one place to see that it does."""

    def __init__(self, on_wait: Callable[[], object], *, by_hand: bool) -> None:
        super().__init__()
        self._on_wait = on_wait
        self._by_hand = by_hand
        self.wait: object | None = None
        """What tells this wait from all others; None if the loop is at work."""

    def select(self, timeout: float | None = None) -> _Ready:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        self.wait = object()
        self._on_wait()
        try:
            # No timer of the loop falls due by waiting, if its time only moves by hand.
            return super().select(None if self._by_hand else timeout)
        finally:
            self.wait = None


class Loop(asyncio.SelectorEventLoop):
    """The loop.

    Args:
        clock: whose monotonic time it has, if that is moved by hand; None: the machine's.
        on_wait: called, in the loop's thread, when there is nothing left to do.
        on_uncaught: called with what says of an exception that reached nobody.
    """

    def __init__(
        self, clock: Clock | None, on_wait: Callable[[], object], on_uncaught: Callable[[str], object]
    ) -> None:
        self._by_hand = clock
        self._selecting = _Selector(on_wait, by_hand=clock is not None)
        super().__init__(self._selecting)
        self._stop_listening: Callable[[], object] | None = None
        if clock is not None:
            self._stop_listening = clock.on_jump(self._look_at_timers)
        self._on_uncaught = on_uncaught
        self.set_exception_handler(_report)

    def time(self) -> float:
        """Seconds that passed, by the clock."""
        return super().time() if self._by_hand is None else self._by_hand.monotonic()

    @property
    def _clock_resolution(self) -> float:
        # asyncio takes a timer for due that is closer than this. By hand that is at its time exactly:
        # asyncio's own nanosecond is lost in large times, and then it would be looked at for ever.
        return self._resolution if self._by_hand is None else math.ulp(self.time())

    @_clock_resolution.setter
    def _clock_resolution(self, seconds: float) -> None:
        self._resolution = seconds

    def waits_with(self) -> object | None:
        """What tells this wait from all others; None if there is something to do. From any thread."""
        # What another thread asks for is in the queue before the loop wakes.
        return None if getattr(self, "_ready", ()) else self._selecting.wait

    def close(self) -> None:
        """Close it. Tasks that are left stay as they are."""
        if self._stop_listening is not None:
            self._stop_listening()
        super().close()

    def say_uncaught(self, text: str) -> None:
        """Tell of an exception that reached nobody."""
        self._on_uncaught(text)

    def _look_at_timers(self) -> None:
        if not self.is_closed():
            self.call_soon_threadsafe(lambda: None)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    said = context.get("message")
    assert isinstance(loop, Loop)  # noqa: S101  for the type checker
    loop.say_uncaught(f"{said}" if error is None else f"{said}: {type(error).__name__}: {error}")
