"""Observing a session from threads."""

import logging
from collections.abc import Callable
from typing import Self

from splus_session._commands import Change
from splus_session._errors import InterruptedByError
from splus_session._observers import CAPACITY, Mailbox
from splus_session.sync._signal import Signal
from splus_session.sync._threads import Series

logger = logging.getLogger("splus_session")


class Changes:
    """The changes of a session, beginning with where it is now; ends when the session is closed.

    Iterate over it in one thread. [OBSERVE-1]

    Raises:
        InterruptedByError: the iteration fell more than 1,024 changes behind. [OBSERVE-2]
    """

    def __init__(self, mailbox: Mailbox[Signal]) -> None:
        self._mailbox = mailbox

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Change:
        mailbox = self._mailbox
        while True:
            event = mailbox.signal.listen()
            change = mailbox.take()
            if change is not None:
                return change
            if mailbox.overflowed:
                raise InterruptedByError(f"this observer fell {CAPACITY} changes behind")
            if mailbox.finished:
                raise StopIteration
            event.wait()


class Courier(Signal):
    """Brings what comes into a mailbox to a callback, in order, on a thread that comes and goes."""

    __slots__ = ("_callback", "mailbox", "series")

    def __init__(self, callback: Callable[[Change], object]) -> None:
        super().__init__()
        self._callback = callback
        self.series = Series("observer")
        self.mailbox: Mailbox[Signal] | None = None

    def fire(self) -> None:
        """Something has come."""
        self.series.submit(self._deliver)

    def _deliver(self) -> None:
        while self.mailbox is not None and (change := self.mailbox.take()) is not None:
            try:
                self._callback(change)
            except BaseException:  # its SystemExit ends no more than this call
                logger.exception("an observer failed on %s", change.state.value)
