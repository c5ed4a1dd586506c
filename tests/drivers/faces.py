"""The drivers in one calling shape, so that a test that holds for all of them is written once.

An async session lives in a loop on a thread of its own, and every call is made there; a threaded
session's calls are made on threads. Either way `start` gives a future, and `call` its result.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from anyio.from_thread import BlockingPortal, start_blocking_portal

from splus_session import aio, sync
from splus_session.testing import FakePlatform

PATIENCE = 20.0
"""Real seconds after which a test that waits has failed."""

AnySession = aio.Session | sync.Session


class Face(Protocol):
    """A driver, seen by a test."""

    name: str

    def platform(self, fake: FakePlatform) -> Any:
        """The fake's client for this driver."""
        ...

    def make(self, **arguments: Any) -> Any:
        """A session, not opened yet."""
        ...

    def open(self, session: Any) -> AbstractContextManager[Any]:
        """The session, opened for the block."""
        ...

    def start(self, session: Any, method: str, *arguments: Any, **named: Any) -> "Future[Any]":
        """Call a method; gives its result to come."""
        ...

    def run(self, function: Callable[[], Any]) -> Any:
        """Run a plain function where the session lives."""
        ...

    def next_change(self, changes: Any) -> Any:
        """The next of `session.changes()`; raises `StopIteration` at their end."""
        ...

    def callback(self, function: Callable[[Any], object]) -> Any:
        """A callback (hook, observer) of the driver's own kind: async for an async session."""
        ...

    def call(self, session: Any, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method and wait for its result."""
        ...


class LoopFace:
    """`splus_session.aio`, in a loop of asyncio or trio."""

    def __init__(self, name: str, portal: BlockingPortal) -> None:
        self.name = name
        self.portal = portal

    def platform(self, fake: FakePlatform) -> Any:
        return fake.async_client()

    def make(self, **arguments: Any) -> aio.Session:
        return aio.Session(**arguments)

    def open(self, session: aio.Session) -> AbstractContextManager[aio.Session]:
        return self.portal.wrap_async_context_manager(session)

    def start(self, session: aio.Session, method: str, *arguments: Any, **named: Any) -> "Future[Any]":
        async def call() -> Any:
            return await getattr(session, method)(*arguments, **named)

        return self.portal.start_task_soon(call)

    def run(self, function: Callable[[], Any]) -> Any:
        return self.portal.call(function)

    def next_change(self, changes: aio.Changes) -> Any:
        async def step() -> Any:
            try:
                return [await changes.__anext__()]
            except StopAsyncIteration:
                return []

        found = self.portal.start_task_soon(step).result(PATIENCE)
        if not found:
            raise StopIteration
        return found[0]

    def callback(self, function: Callable[[Any], object]) -> Any:
        async def call(argument: Any) -> None:
            function(argument)

        return call

    def call(self, session: aio.Session, method: str, *arguments: Any, **named: Any) -> Any:
        return self.start(session, method, *arguments, **named).result(PATIENCE)


class ThreadFace:
    """`splus_session.sync`."""

    name = "sync"

    def platform(self, fake: FakePlatform) -> Any:
        return fake.client()

    def make(self, **arguments: Any) -> sync.Session:
        return sync.Session(**arguments)

    def open(self, session: sync.Session) -> AbstractContextManager[sync.Session]:
        return session

    def start(self, session: sync.Session, method: str, *arguments: Any, **named: Any) -> "Future[Any]":
        return on_thread(lambda: getattr(session, method)(*arguments, **named))

    def run(self, function: Callable[[], Any]) -> Any:
        return function()

    def next_change(self, changes: sync.Changes) -> Any:
        found = on_thread(lambda: list_of_next(changes)).result(PATIENCE)
        if not found:
            raise StopIteration
        return found[0]

    def callback(self, function: Callable[[Any], object]) -> Any:
        return function

    def call(self, session: sync.Session, method: str, *arguments: Any, **named: Any) -> Any:
        return self.start(session, method, *arguments, **named).result(PATIENCE)


def list_of_next(iterator: Iterator[Any]) -> list[Any]:
    """The next item, if there is one: a future cannot carry `StopIteration`."""
    for item in iterator:
        return [item]
    return []


def on_thread(function: Callable[[], Any]) -> "Future[Any]":
    """Run a function on a daemon thread: one that hangs fails its test, and not the whole run."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


@contextmanager
def face_of(name: str) -> Iterator[Face]:
    """The driver of this name: `asyncio`, `trio` or `sync`."""
    if name == "sync":
        yield ThreadFace()
    else:
        with start_blocking_portal(name) as portal:
            yield LoopFace(name, portal)


class Log(list[Any]):
    """What happened, in order. Any thread adds to it, and a test waits for what it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def add(self, item: object) -> None:
        """Something happened."""
        with self._changed:
            self.append(item)
            self._changed.notify_all()

    def notify(self) -> None:
        """Something changed that is not in here."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, holds: Callable[[], bool], what: str = "") -> None:
        """Wait until it holds, looking whenever something happens here."""
        with self._changed:
            assert self._changed.wait_for(holds, PATIENCE), f"waited in vain for {what or holds}; {self}"

    def wait_count(self, count: int) -> None:
        """Wait until so many things happened."""
        self.wait_for(lambda: len(self) >= count, f"{count} entries")
