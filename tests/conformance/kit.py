"""What judges a client, as far as an adapter knows it: commands on one side, a platform on the other."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from splus_session.conformance.adapter import Host
from splus_session.testing import FakePlatform, ManualClock

PATIENCE = 20.0
"""Real seconds after which a test that waits has failed."""

Line = dict[str, Any]


class Channel(Protocol):
    """The way to an adapter."""

    def send(self, command: Line) -> list[Line]:
        """Its answer: events, and the idle line."""
        ...


class Child:
    """An adapter that is a process."""

    def __init__(self, module: str) -> None:
        self._start(["-m", module])

    @classmethod
    def of(cls, arguments: list[str]) -> "Child":
        """The process that Python makes of these arguments."""
        child = cls.__new__(cls)
        child._start(arguments)
        return child

    def _start(self, arguments: list[str]) -> None:
        command = [sys.executable, "-W", "error", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, command: Line) -> list[Line]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()
        answer: list[Line] = []
        while not answer or "idle" not in answer[-1]:
            line = self.process.stdout.readline()
            assert line, f"the adapter ended, {self.process.wait()}, after {command} and {answer}"
            answer.append(json.loads(line))
        return answer

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> int:
        status = self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return status


@contextmanager
def in_process(subject: ModuleType) -> Iterator[Channel]:
    threaded = subject.NAME.endswith("sync")
    with Host(
        subject.make_client, name=subject.NAME, version="0", features=subject.FEATURES, threaded=threaded
    ) as host:
        yield host


@contextmanager
def as_child(subject: ModuleType) -> Iterator[Child]:
    child = Child(subject.__name__)
    try:
        yield child
    finally:
        child.kill()


class Kit:
    """One run's world: a platform, its clock, and a client that is told what to do."""

    def __init__(self, channel: Channel, folder: Path) -> None:
        self.channel = channel
        self.folder = folder
        self.clock = ManualClock()
        self.fake = FakePlatform(clock=self.clock)
        self.told: list[Line] = []
        """Every event of this run so far."""
        self.idle: Line = {}
        """The last idle line."""
        self.calls: dict[int, str] = {}
        self.held = 0
        """How many requests the platform holds just now: these have no answer on its way."""
        self._ids = itertools.count()
        self._before = 0
        self._server = self.fake.serve()
        self.url = self._server.__enter__().url

    def stop(self) -> None:
        self._server.__exit__(None, None, None)

    def begin(self, *, keep: bool = False) -> None:
        self._before = len(self.fake.requests)
        self.told = []
        begin = {"url": self.url, "api_key": self.fake.api_key.reveal(), "now": self.clock.now()}
        self.do("begin", **begin, store=str(self.folder), keep=keep)

    def open(self, client: str = "a", **flags: Any) -> list[Line]:
        return self.do("open", client=client, **{"session_handler": True, "hooks": True, **flags})

    def log_in(self, user_id: str = "ann", client: str = "a", **named: Any) -> list[Line]:
        return self.do("login", client=client, user_id=user_id, auth_token=self.token(user_id), **named)

    def token(self, user_id: str = "ann") -> str:
        return self.fake.issue_auth_token(user_id).reveal()

    def advance(self, seconds: float) -> list[Line]:
        self.clock.advance(seconds)
        return self.do("advance", seconds=seconds)

    def do(self, name: str, **named: Any) -> list[Line]:
        """Do a command, and settle until nothing is on the way. Gives the events."""
        return [*self.send(name, **named), *self.settle()]

    def settle(self) -> list[Line]:
        """Settle until nothing is on the way. Gives the events."""
        events: list[Line] = []
        until = time.monotonic() + PATIENCE
        while not self.is_quiet():
            got = self.fake.requests[self._before :]
            assert time.monotonic() < until, f"never quiet: {self.idle}, {self.told}, {got}"
            time.sleep(0.000_5)
            events += self.send("settle")
        return events

    def send(self, name: str, **named: Any) -> list[Line]:
        """Do a command. Gives the events until it is idle for the first time."""
        number = next(self._ids)
        self.calls[number] = name
        *events, self.idle = self.channel.send({"id": number, "do": name, **named})
        assert self.idle["idle"] == number
        assert [event["event"] for event in events if "event" not in event] == []
        self.told += events
        return events

    def is_quiet(self) -> bool:
        """Whether the client has sent what the platform has got, and has got all that is not held."""
        if "sent" not in self.idle:
            return True
        got = len(self.fake.requests) - self._before
        return bool(self.idle["sent"] == got and self.idle["open"] == self.held)

    def last_call(self) -> int:
        """The id of the last command that was no `settle`."""
        return next(number for number in reversed(self.calls) if self.calls[number] != "settle")

    def renewal(self) -> int:
        """The number of the last renewal that was asked for."""
        return int(next(e["renewal"] for e in reversed(self.told) if "renewal" in e))

    @property
    def looks(self) -> Line:
        looks: Line = self.idle["clients"]
        return looks


def states(events: list[Line], observer: int = 0, client: str = "a") -> list[str]:
    """The states that an observer was told, in order."""
    return [
        e["state"]
        for e in events
        if e["event"] == "state" and e["observer"] == observer and e["client"] == client
    ]


def kinds(events: list[Line]) -> list[str]:
    """What became of calls: `done`, or the kind of failure."""
    return [str(e.get("kind", e["event"])) for e in events if e["event"] in ("done", "failed")]


def names(events: list[Line]) -> set[str]:
    return {str(event["event"]) for event in events}


def eventually(holds: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for another thread, or process, for so long that only a fault takes longer."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.001)
