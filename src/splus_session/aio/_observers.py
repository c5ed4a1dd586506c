"""Observing a session from async code."""

import logging
from collections.abc import Awaitable, Callable
from typing import Self

from splus_session._commands import Change
from splus_session._errors import InterruptedByError
from splus_session._observers import CAPACITY, Mailbox
from splus_session.aio._foreign import called
from splus_session.aio._signal import Signal

logger = logging.getLogger("splus_session")


class Changes:
    """The changes of a session, beginning with where it is now; ends when the session is closed.

    Iterate over it in one task, of any loop. [OBSERVE-1]

    Raises:
        InterruptedByError: the iteration fell more than 1,024 changes behind. [OBSERVE-2]
    """

    def __init__(self, mailbox: Mailbox[Signal]) -> None:
        self._mailbox = mailbox

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        mailbox = self._mailbox
        while True:
            event = mailbox.signal.listen()
            change = mailbox.take()
            if change is not None:
                return change
            if mailbox.overflowed:
                raise InterruptedByError(f"this observer fell {CAPACITY} changes behind")
            if mailbox.finished:
                raise StopAsyncIteration
            await event.wait()


async def deliver(mailbox: Mailbox[Signal], callback: Callable[[Change], Awaitable[None] | None]) -> None:
    """Call a callback with every change, in order; one that raises is logged and goes on. [OBSERVE-2]"""
    while True:
        event = mailbox.signal.listen()
        while (change := mailbox.take()) is not None:
            try:
                await called(callback, change)
            except Exception:
                logger.exception("an observer failed on %s", change.state.value)
        if mailbox.finished:
            return
        await event.wait()
