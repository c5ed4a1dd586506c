"""Where a client lives: an event loop on a thread of its own, or threads that come and go.

Both run the same jobs. A job is a coroutine function; of a threaded client nothing in it ever
suspends, since what its methods give is no awaitable, so a thread can run it in one go.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Protocol

from splus_session.conformance._loop import Loop

__all__ = ["LoopRunner", "Runner", "ThreadRunner", "settled"]

Job = Callable[[], Coroutine[Any, Any, None]]

PATIENCE = 2.0
"""Real seconds that a world which is over may take to close its clients; then it is left behind."""


async def settled(result: Any) -> Any:
    """What a method gave, waited for if that can be."""
    return await result if inspect.isawaitable(result) else result


class Runner(Protocol):
    """Runs jobs where clients live."""

    def start(self, job: Job) -> Callable[[], object]:
        """Start a job, which never raises. Gives back what cancels it."""
        ...

    async def open(self, client: Any) -> None:
        """Enter a client's block. From a job."""
        ...

    async def close(self, client: Any) -> None:
        """Leave it. From a job."""
        ...

    async def outcome(self, future: "Future[Any]") -> Any:
        """Wait for a future's result. From a job or a handler."""
        ...

    def waits(self) -> dict[int, Callable[[], object | None]]:
        """By thread, what its event loop waits with; see `Stillness`."""
        ...

    def end(self) -> None:
        """Close what is open, and let go of the rest."""
        ...


class LoopRunner:
    """An asyncio loop in a thread.

    Args:
        loop: which. It is closed in the end.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._lives: dict[int, tuple[asyncio.Event, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="conformance loop", daemon=True)
        self._thread.start()

    def start(self, job: Job) -> Callable[[], object]:
        """See `Runner.start`."""
        tasks: list[asyncio.Task[None]] = []
        self._loop.call_soon_threadsafe(lambda: tasks.append(self._task(job())))

        def cancel() -> None:
            tasks[0].cancel()

        return lambda: self._loop.call_soon_threadsafe(cancel)

    def _task(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)  # the loop itself holds it weakly
        task.add_done_callback(self._tasks.discard)
        return task

    async def open(self, client: Any) -> None:
        """See `Runner.open`. The block is entered and left in one and the same task."""
        opened: asyncio.Future[None] = self._loop.create_future()
        closing = asyncio.Event()

        async def live() -> None:
            try:
                await client.__aenter__()
            except BaseException as error:
                opened.set_exception(error)
                return
            opened.set_result(None)
            try:
                await closing.wait()
            finally:
                await client.__aexit__(None, None, None)

        self._lives[id(client)] = closing, self._task(live())
        await asyncio.shield(opened)

    async def close(self, client: Any) -> None:
        """See `Runner.close`."""
        closing, task = self._lives.pop(id(client))
        closing.set()
        await task

    async def outcome(self, future: "Future[Any]") -> Any:
        """See `Runner.outcome`."""
        return await asyncio.wrap_future(future)

    def waits(self) -> dict[int, Callable[[], object | None]]:
        """See `Runner.waits`."""
        ident = self._thread.ident
        return {} if ident is None else {ident: self._loop.waits_with}

    def end(self) -> None:
        """See `Runner.end`."""
        ended = threading.Event()
        self._loop.call_soon_threadsafe(lambda: self._task(self._end(ended)))
        ended.wait(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    async def _end(self, ended: threading.Event) -> None:
        try:
            for closing, _ in self._lives.values():
                closing.set()
            await _gather(task for _, task in self._lives.values())
            rest = self._tasks - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await _gather(rest)
        finally:
            ended.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        asyncio.set_event_loop(None)
        self._loop.close()


async def _gather(tasks: Any) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


class ThreadRunner:
    """Threads, one for each job."""

    def __init__(self) -> None:
        self._open: dict[int, Any] = {}

    def start(self, job: Job) -> Callable[[], object]:
        """See `Runner.start`. A thread cannot be cancelled: what this gives does nothing."""
        self._start(job)
        return lambda: None

    def _start(self, job: Job) -> threading.Thread:
        def run() -> None:
            try:
                job().send(None)
            except StopIteration:
                return
            raise TypeError("a threaded client gave something to await")

        thread = threading.Thread(target=run, name="conformance call", daemon=True)
        thread.start()
        return thread

    async def open(self, client: Any) -> None:
        """See `Runner.open`."""
        client.__enter__()
        self._open[id(client)] = client

    async def close(self, client: Any) -> None:
        """See `Runner.close`."""
        del self._open[id(client)]
        client.__exit__(None, None, None)

    async def outcome(self, future: "Future[Any]") -> Any:
        """See `Runner.outcome`."""
        return future.result()

    def waits(self) -> dict[int, Callable[[], object | None]]:
        """See `Runner.waits`."""
        return {}

    def end(self) -> None:
        """See `Runner.end`."""
        for client in list(self._open.values()):
            self._start(lambda client=client: self.close(client)).join(PATIENCE)  # type: ignore[misc]
