"""Calling code that is not ours, so that neither its blocking nor its cancelling is felt here."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import anyio.lowlevel

from splus_session._errors import InterruptedByError
from splus_session.aio._signal import call_in

T = TypeVar("T")


async def contained(awaitable: Awaitable[T]) -> T:
    """Await something. What it raises, it raises.

    In asyncio it may also raise the cancellation of a task that *it* awaited; let through, that
    would end our own task, and the app's block with it.

    Raises:
        InterruptedByError: in place of such a cancellation.
    """
    try:
        return await awaitable
    except anyio.get_cancelled_exc_class():
        if _is_cancelled():
            raise
    raise InterruptedByError("a task that was waited for was cancelled")


def _is_cancelled() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # trio, where a cancellation is always one's own
        return True
    return task is None or task.cancelling() > 0


async def on_thread(function: Callable[..., Any], *arguments: object) -> Any:
    """Call what blocks on a daemon thread of its own, and wait for it. Raises what it raises.

    The loop's own threads would keep the process alive for as long as it blocks. A cancelled
    caller leaves it alone: it goes on, and nobody hears how it ends.
    """
    loop = anyio.lowlevel.current_token().native_token
    done = anyio.Event()
    outcome = _Outcome()

    def work() -> None:
        try:
            outcome.result = function(*arguments)
        except BaseException as error:
            outcome.error = error
        call_in(loop, done.set)

    threading.Thread(target=work, name="splus-session call", daemon=True).start()
    await done.wait()
    return outcome.take()


class _Outcome:
    """What came of a call. Never prints it: an app's token may be in there. [SECRET-1]"""

    __slots__ = ("error", "result")

    def __init__(self) -> None:
        self.result: object = None
        self.error: BaseException | None = None

    def take(self) -> object:
        """The result; raises the error, if there is one."""
        error, self.error = self.error, None  # it must not hold the frame that holds it
        if error is not None:
            raise error
        return self.result
