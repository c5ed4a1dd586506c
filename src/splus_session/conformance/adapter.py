"""The conformance protocol's adapter for clients in Python: as a program, and in this process.

    serve(make_client, name="my client", version="1.2.3", features=("time", "again"), threaded=False)

answers commands on standard input, for `splus-session conform -- python my_adapter.py`. A `Host` does
the same for commands that come as dictionaries. Either way `make_client(setup)` makes a client that
has the interface of `splus_session.aio.Session`, or of `splus_session.sync.Session` if `threaded`.

Needs the extra `testing`.
"""

import contextlib
import faulthandler
import inspect
import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from splus_session.conformance._kinds import Unsupported, failure_of
from splus_session.conformance._lines import PROTOCOL
from splus_session.conformance._loop import Loop
from splus_session.conformance._real_time import RealClock
from splus_session.conformance._runners import LoopRunner, Runner, ThreadRunner
from splus_session.conformance._setup import MakeClient, Setup
from splus_session.conformance._stillness import Stillness
from splus_session.conformance._traffic import CountedStore, Traffic
from splus_session.conformance._world import World
from splus_session.testing.clock import ManualClock

__all__ = ["PROTOCOL", "CountedStore", "Host", "MakeClient", "Setup", "Traffic", "features_of", "serve"]

PATIENCE: Final = 9.0
"""Real seconds that a client may take to become idle: a bit less than the kit's ten, so as to say why."""

Event = dict[str, object]


class Host:
    """Carries out the protocol's commands on clients in this process. Use it in a `with` block, from
    one thread.

    Args:
        make_client: makes a client from a `Setup`; it may be async if clients are.
        name: the client's, for `hello`.
        version: the client's.
        features: what it can do, in the protocol's words.
        threaded: whether clients are for threads, and not for asyncio.
        counts: whether clients send their requests through `Setup.traffic`.
        make_clock: gives the clock of a run, which shows this time (UTC seconds).
    """

    def __init__(
        self,
        make_client: MakeClient,
        *,
        name: str,
        version: str,
        features: Iterable[str],
        threaded: bool,
        counts: bool = True,
        make_clock: Callable[[float], ManualClock] = ManualClock,
    ) -> None:
        self._make_client = make_client
        declared = [*features]
        self._hello = {"protocol": PROTOCOL, "name": name, "version": version, "features": declared}
        self._features = frozenset(declared)
        self._threaded = threaded
        self._counts = counts
        self._world: World | None = None
        self._make_clock = make_clock
        self._lock = threading.Lock()
        self._era = object()
        self._events: deque[Event] = deque()
        self._told = 0
        self._traffic: Event = {}
        """As of when it was idle."""
        self._woken = threading.Event()
        self._hooks = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._hooks.enter_context(_uncaught(self._tell_uncaught))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end_world()
        self._hooks.close()

    def send(self, command: Mapping[str, Any]) -> list[Event]:
        """Carry out one command. Gives the events that it led to, in order, and the idle line.

        Raises:
            TimeoutError: the client does not become idle.
        """
        number = command["id"]
        idle: Event = {"idle": number}
        if command["do"] == "hello":
            return [{**idle, **self._hello}]
        try:
            self._start(command)
        except Exception as error:
            self._tell(self._era, {"event": "failed", "of": number, **failure_of(error)})
        self._settle()
        return [*self._take(), {**idle, **self._looks()}]

    def _start(self, command: Mapping[str, Any]) -> None:
        name, world = command["do"], self._world
        if name == "begin":
            self._begin(command)
        elif name == "bye":
            self._end_world()
        elif world is None:
            raise Unsupported("the first command is begin")
        elif name == "advance":
            world.clock.advance(command["seconds"])
        elif name == "sleep":
            world.clock.sleep(command["seconds"])
        elif name == "jump":
            world.clock.jump(command["seconds"])
        elif name != "settle":
            world.start(command)

    # ── Worlds ──────────────────────────────────────────────────────────────────────────────────

    def _begin(self, command: Mapping[str, Any]) -> None:
        self._end_world()
        # Whatever the world before still does tells under an era that is over.
        self._era = era = object()
        is_moved = "time" in self._features
        clock, traffic = self._make_clock(command["now"]) if is_moved else RealClock(), Traffic()

        def tell(event: Event) -> None:
            self._tell(era, event)

        runner = self._runner(clock if is_moved else None, tell)
        make, features = self._make_client, self._features
        self._world = World(command, make, runner, clock, traffic, tell, features, threaded=self._threaded)
        self._stillness = Stillness(runner.waits(), lambda: traffic.working > 0, lambda: self._told)

    def _runner(self, clock: ManualClock | None, tell: Callable[[Event], None]) -> Runner:
        if self._threaded:
            return ThreadRunner()

        def uncaught(text: str) -> None:
            tell({"event": "uncaught", "message": text})

        return LoopRunner(Loop(clock, self._woken.set, uncaught))

    def _end_world(self) -> None:
        with self._lock:
            self._era = object()
            self._events.clear()
        world, self._world = self._world, None
        if world is not None:
            world.end()

    # ── What is told ────────────────────────────────────────────────────────────────────────────

    def _tell(self, era: object, event: Event) -> None:
        with self._lock:
            if era is self._era:
                self._events.append(event)
                self._told += 1

    def _tell_uncaught(self, text: str) -> None:
        self._tell(self._era, {"event": "uncaught", "message": text})

    def _take(self) -> Iterator[Event]:
        while self._events:
            yield self._events.popleft()

    def _looks(self) -> Event:
        world = self._world
        if world is None:
            return {"clients": {}}
        looks: Event = {"clients": world.looks()}
        if self._counts:
            looks |= self._traffic
        return looks

    # ── Idle ────────────────────────────────────────────────────────────────────────────────────

    def _settle(self) -> None:
        if self._world is None:
            return
        until = time.monotonic() + PATIENCE
        pause = 0.000_1
        while not self._is_still(self._world):
            if time.monotonic() > until:
                raise TimeoutError(f"the client was not idle for {PATIENCE:g} s")
            self._woken.wait(pause)
            self._woken.clear()
            pause = min(pause * 1.2, 0.002)

    def _is_still(self, world: World) -> bool:
        # Counted before: a request that ends meanwhile is one whose end nobody has dealt with.
        self._traffic = {"sent": world.traffic.sent, "open": world.traffic.open}
        return self._stillness.holds()


def features_of(client: object) -> tuple[str, ...]:
    """What a client can do, by the methods that it has: those features that are methods, or an argument."""
    found = [
        feature
        for feature, methods in _METHODS.items()
        if all(callable(getattr(client, method, None)) for method in methods)
    ]
    login = getattr(client, "login", None)
    if callable(login) and "session_handler" in inspect.signature(login).parameters:
        found.append("own_handler")
    return tuple(found)


_METHODS = {
    "access_token": ("login_with_access_token", "set_access_token_handler"),
    "visitor": ("login_as_visitor",),
    "bot": ("login_as_bot",),
    "secure_logout": ("secure_logout",),
    "renew_now": ("renew_now",),
    "call": ("auth",),
    "realtime": ("note_ban", "note_deletion"),
    "observers": ("on_change",),
}


def serve(
    make_client: MakeClient, *, name: str, version: str, features: Iterable[str], threaded: bool
) -> None:
    """Be an adapter: answer the commands of standard input on standard output until `bye`.

    What the client itself prints goes to standard error. For the arguments see `Host`.
    """
    host = Host(make_client, name=name, version=version, features=features, threaded=threaded)
    with _lines() as lines, host:
        for line in sys.stdin.buffer:
            command = json.loads(line)
            for answer in _answers(host, command):
                lines.write(json.dumps(answer).encode() + b"\n")
            lines.flush()
            if command["do"] == "bye":
                break


def _answers(host: Host, command: Mapping[str, Any]) -> list[Event]:
    try:
        return host.send(command)
    except TimeoutError:
        faulthandler.dump_traceback(sys.stderr)  # who is at work, and where
        raise


@contextlib.contextmanager
def _lines() -> Generator[BinaryIO]:
    """Standard output, for the protocol's lines alone."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "wb") as lines:
        os.dup2(2, 1)
        yield lines


@contextlib.contextmanager
def _uncaught(tell: Callable[[str], object]) -> Generator[None]:
    """Tell of exceptions that reach nobody, while the block runs."""
    thread_hook, unraisable_hook = threading.excepthook, sys.unraisablehook

    def in_thread(args: threading.ExceptHookArgs) -> None:
        tell(f"in a thread: {args.exc_type.__name__}: {args.exc_value}")

    def unraisable(args: Any) -> None:
        tell(f"{args.err_msg or 'unraisable'}: {args.exc_type.__name__}: {args.exc_value}")

    threading.excepthook, sys.unraisablehook = in_thread, unraisable
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = thread_hook, unraisable_hook
