"""Observers: each has a queue of its own, so that none holds up the session or another. [OBSERVE-2]"""

import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Generic

from splus_session._commands import Change
from splus_session._engine import FORKED, SignalT
from splus_session._errors import ForkedSessionError
from splus_session._states import ChangeReason, SessionState

logger = logging.getLogger("splus_session")

CAPACITY = 1024
"""How many changes an observer may be behind before it is dropped. [OBSERVE-2]"""


class Mailbox(Generic[SignalT]):
    """The changes that one observer has not heard yet, in order."""

    __slots__ = ("__weakref__", "_changes", "_closed", "_forked", "overflowed", "signal")

    def __init__(self, signal: SignalT) -> None:
        self.signal = signal
        self.overflowed = False
        """Whether the observer was dropped for being too far behind."""
        self._changes: deque[Change] = deque()
        self._closed = False
        self._forked = False

    def put(self, change: Change) -> None:
        """Add a change, to be heard once `signal` is fired. One too many, and nothing more comes."""
        if len(self._changes) < CAPACITY:
            self._changes.append(change)
        else:
            self.overflowed = self._closed = True

    def take(self) -> Change | None:
        """The next change, or None if there is none now.

        Raises:
            ForkedSessionError: the session was made before a fork: no more will come. [CLIENT-3]
        """
        if self._forked:
            raise ForkedSessionError(FORKED)
        try:
            return self._changes.popleft()
        except IndexError:
            return None

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self.signal.fire()

    def after_fork(self) -> None:
        """In a forked child, where nobody will put anything in here."""
        self._forked = True

    def drop(self) -> None:
        """The observer wants to hear nothing more, of what has come neither."""
        self._changes.clear()
        self.close()

    @property
    def finished(self) -> bool:
        """Whether everything has been heard and nothing more will come."""
        return self._closed and not self._changes


class Observers(Generic[SignalT]):
    """Everybody who is told of changes. Every method may be called from any thread."""

    def __init__(self, signal: Callable[[], SignalT], now: float) -> None:
        """Begin with no change but the start, at `now` (UTC seconds)."""
        self._signal = signal
        self._lock = threading.Lock()
        self._mailboxes: weakref.WeakSet[Mailbox[SignalT]] = weakref.WeakSet()
        self.closed = False
        """Whether nobody will be told of anything any more."""
        self.last = Change(SessionState.NOT_LOGGED_IN, None, ChangeReason.STARTED, now)
        """The change announced last; what a new observer hears first. [OBSERVE-1]"""

    def add(self, signal: SignalT | None = None) -> Mailbox[SignalT]:
        """A mailbox that hears of where the session is now, and then of every change. [OBSERVE-1]

        It is forgotten when nobody holds it any more. `signal` fires when something has come.
        """
        mailbox: Mailbox[SignalT] = Mailbox(signal or self._signal())
        with self._lock:
            mailbox.put(self.last)
            closed = self.closed
            if not closed:
                self._mailboxes.add(mailbox)
        if closed:
            mailbox.close()
        else:
            mailbox.signal.fire()
        return mailbox

    def remove(self, mailbox: Mailbox[SignalT]) -> None:
        """Tell it nothing more."""
        with self._lock:
            self._mailboxes.discard(mailbox)
        mailbox.drop()

    def announce(self, change: Change) -> None:
        """Tell everybody."""
        with self._lock:
            self.last = change
            mailboxes = list(self._mailboxes)
            for mailbox in mailboxes:
                mailbox.put(change)
                if mailbox.overflowed:
                    self._mailboxes.discard(mailbox)
        for mailbox in mailboxes:
            mailbox.signal.fire()
            if mailbox.overflowed:
                logger.warning("an observer fell %d changes behind and was dropped", CAPACITY)

    def after_fork(self) -> None:
        """In a forked child: whoever held the lock is not here to let go of it. [CLIENT-3]"""
        self._lock = threading.Lock()
        for mailbox in list(self._mailboxes):
            mailbox.after_fork()

    def close(self) -> None:
        """The session object is closed: let everybody hear the rest, then end."""
        with self._lock:
            self.closed = True
            mailboxes = list(self._mailboxes)
            self._mailboxes.clear()
        for mailbox in mailboxes:
            mailbox.close()
