"""Calling code that is not ours, so that neither its blocking nor its cancelling is felt here."""

import asyncio
import inspect
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


async def called(function: Callable[[Any], Any], argument: object) -> Any:
    """Call the app's function in the loop, and await what it gives if that can be awaited.

    Raises:
        InterruptedByError: in place of a cancellation that is not our own.
    """

    async def run() -> Any:
        result = function(argument)
        return await result if inspect.isawaitable(result) else result

    return await contained(run())


async def to_the_end(wait: Callable[[], Awaitable[object]]) -> None:
    """Wait to the end, whatever cancels the caller; its cancellation is raised again afterwards.

    A scope's shield holds off anyio's and trio's cancellations, but not one of asyncio's own, such
    as that of `asyncio.timeout`. So `wait` may be begun anew.
    """
    cancelled: BaseException | None = None
    while True:
        try:
            with anyio.CancelScope(shield=True):
                await wait()
            break
        except anyio.get_cancelled_exc_class() as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


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

    Raises:
        InterruptedByError: in place of a `SystemExit` and its like, which is meant for the thread
            and would end our loop.
    """
    done, outcome = _start_on_thread(function, arguments)
    await done.wait()
    return outcome.take()


async def on_thread_to_the_end(function: Callable[..., Any], *arguments: object) -> Any:
    """The same, but a cancelled caller waits for the end, too. [RESUME-1]

    What the call raises goes before the cancellation: nobody else would hear of it.
    """
    done, outcome = _start_on_thread(function, arguments)
    try:
        await to_the_end(done.wait)
    except BaseException:
        outcome.take()
        raise
    return outcome.take()


def _start_on_thread(
    function: Callable[..., Any], arguments: tuple[object, ...]
) -> "tuple[anyio.Event, _Outcome]":
    loop = anyio.lowlevel.current_token().native_token
    done = anyio.Event()
    outcome = _Outcome()

    def work() -> None:
        try:
            outcome.result = function(*arguments)
        except BaseException as error:
            outcome.error = error

    def work_there() -> None:
        work()
        outcome.contain()
        call_in(loop, done.set)

    try:
        threading.Thread(target=work_there, name="splus-session call", daemon=True).start()
    except RuntimeError:
        work()  # no thread is to be had: rather block than lose what was committed
        done.set()
    return done, outcome


class _Outcome:
    """What came of a call. Never prints it: an app's token may be in there. [SECRET-1]"""

    __slots__ = ("error", "result")

    def __init__(self) -> None:
        self.result: object = None
        self.error: BaseException | None = None

    def contain(self) -> None:
        """Put an ordinary error in the place of one that ends whatever it is raised in."""
        error = self.error
        if error is not None and not isinstance(error, Exception):
            said = f"what was called raised {type(error).__name__}"
            self.error = InterruptedByError(said).with_traceback(error.__traceback__)

    def take(self) -> object:
        """The result; raises the error, if there is one."""
        error, self.error = self.error, None  # it must not hold the frame that holds it
        if error is not None:
            raise error
        return self.result
